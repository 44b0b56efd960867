"""Events on their way to the homeserver: the outbox, its pace, and what is only signalled."""
