"""The disk: every durable fact, in one SQLite database."""
