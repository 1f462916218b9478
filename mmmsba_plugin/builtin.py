"""Our own parts, handed through the doors that anyone's come through."""
