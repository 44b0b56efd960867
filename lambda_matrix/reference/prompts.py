"""What a model is told beside the conversation: instructions, tools' results, notes. No I/O."""

from __future__ import annotations

from typing import Final

INSTRUCTIONS: Final = (
    "You are Lambda, an assistant that people talk to in a chat room of a messenger. Answer in the "
    "language of the person's message, briefly unless more is asked for, in Markdown."
)
TOOLS_NOTE: Final = (
    "This conversation has a folder of files. With the tools you list, read, write and delete its "
    "files. The person sees a file only when you send it with send_file. Overwriting and deleting "
    "need the person's consent, which is asked for you: call the tool without asking first."
)
PENDING: Final = "The person has not decided yet whether this may be done."
REFUSED: Final = "The person does not allow this; it was not done."
DECIDED_LATE: Final = "[What I have decided now on what was asked earlier; the tools say:]"


def instructions(own: str, *, tools: bool) -> str:
    """Return the system message: the operator's instructions or the usual, and how tools work."""
    paragraphs = [own or INSTRUCTIONS, *([TOOLS_NOTE] if tools else [])]
    return "\n\n".join(paragraphs)


def refused(reason: str | None) -> str:
    """Return the result of a tool that the person did not allow."""
    return f"{REFUSED} The reason: {reason}" if reason else REFUSED


def came_with(kind: str, name: str, what: str) -> str:
    """Return the line that tells of a file that came with a message."""
    return f"[{kind} file {name}: {what}]" if name else f"[{kind} file, inline: {what}]"
