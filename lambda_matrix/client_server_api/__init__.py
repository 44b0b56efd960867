"""The homeserver: a Matrix client on httpx under Trio. Knows nothing of agents or of the disk."""
