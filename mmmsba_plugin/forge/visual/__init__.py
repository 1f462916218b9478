"""Visual forgers and what they share."""
