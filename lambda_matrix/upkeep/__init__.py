"""What an operator does while the service is stopped: commands that look, ask, act and tell."""
