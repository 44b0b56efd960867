"""Files on their way: people's into agents' workspaces, agents' into rooms."""
