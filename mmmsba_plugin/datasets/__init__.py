"""Other people's datasets become records."""
