"""The folder shared with an agent, in which chats' files lie. Knows neither Matrix nor HTTP."""
