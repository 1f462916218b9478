"""A file becomes pictures and sound with time stamps."""
