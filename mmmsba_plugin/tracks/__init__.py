"""Pictures become people: found, followed, and cut out steadily."""
