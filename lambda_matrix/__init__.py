"""lambda-matrix: people talk to Lambda, a remote AI agent, from any Matrix client."""

__version__ = "0.1.0"
