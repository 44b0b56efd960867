"""The rooms: as they are told, what they are to us, and how they come and go."""
