"""Rooms as they come, change and go: invites, Spaces and chats made, and what is kept of them."""
