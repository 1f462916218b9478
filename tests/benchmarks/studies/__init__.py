"""Studies of what a network learns from and what it reads: its trainings, and a table."""
