"""A file becomes frames and audio with time stamps."""
