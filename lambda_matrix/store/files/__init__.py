"""Files of people and of agents, on their way through the workspace."""
