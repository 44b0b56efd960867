"""Requests at work: what an agent is asked, and its answer while it is being made."""
