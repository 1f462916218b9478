"""Audio forgers and what they share."""
