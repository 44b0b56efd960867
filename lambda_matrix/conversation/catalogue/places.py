"""Places that one can click on."""

from attrs import frozen

from lambda_matrix.conversation.markdown import literal


@frozen
class Link:
    """A place that one can click on."""

    name: str
    url: str

    def __str__(self) -> str:
        """Return the link in Markdown."""
        return f"[{literal(self.name)}]({self.url})"


@frozen
class Way:
    """Where a person's chats are: the Space, and a chat to begin with."""

    space: Link
    chat: Link
