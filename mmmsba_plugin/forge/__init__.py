"""Real footage becomes partial forgeries with known truth."""
