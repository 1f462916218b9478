"""Other people's corpora become records."""
