"""The commands of `cli.py` that need more than a few lines: what is typed, and what is said."""
