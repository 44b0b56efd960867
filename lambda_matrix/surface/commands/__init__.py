"""What the commands do. They act at once, also while a run is on, and never reach the agent.

A command's effect, its reply and the settlement of its event are one transaction. What it changes
at the homeserver is idempotent and comes before that; a room to be made is an intent, and its reply
comes with the room.
"""
