"""What is said of files, either way."""

from collections.abc import Callable, Sequence

from attrs import frozen


@frozen
class StagedLine:
    """A file that goes along with the next message. `mime_type` is what its content looks like."""

    name: str
    size: int
    mime_type: str


@frozen(kw_only=True)
class FileTexts:
    """Files for the agent, which wait for the next message, and files from it."""

    staged: Callable[[StagedLine, int], str]
    """The file has come in; so many wait now."""
    staged_list: Callable[[Sequence[StagedLine]], str]
    """The list, numbered as it stands; also for an empty one."""
    removed: Callable[[Sequence[str]], str]
    """These were taken off."""
    no_such_number: Callable[[int], str]
    """A number that a list of so many does not have."""
    too_many: Callable[[int], str]
    """No more than so many can wait."""
    too_large: Callable[[str, int], str]
    """The file, and how large one may be."""
    type_refused: Callable[[str, str], str]
    """The file, and the type that is not taken."""
    not_fetched: Callable[[str], str]
    """The homeserver did not hand the file out."""
    encrypted: Callable[[str], str]
    no_workspace: Callable[[str], str]
    """The agent of this name takes no files."""
    disk_full: Callable[[str], str]
    """There was no room for the file."""
    folder_broken: Callable[[str], str]
    """The folder for the chat's files cannot be used."""
    not_all_inline: Callable[[Sequence[str], int], str]
    """These do not fit into one message any more, of which all files may have so many bytes."""
    voice_not_heard: str
    """A voice message where the agent takes no files: it cannot be heard."""
    caption_only: Callable[[str], str]
    """The file did not come in, so the question under it was not asked."""

    offered_missing: Callable[[str], str]
    """The agent offers a file that is not there."""
    offered_outside: Callable[[str], str]
    """The agent offers a file that is not this chat's."""
    offered_too_large: Callable[[str, int, int], str]
    """The file of this size is over the homeserver's limit."""
    offered_unreadable: Callable[[str], str]
    """What the agent offers is no file, or none that we may read."""
    offered_not_sent: Callable[[str], str]
    """The file of the agent could not be passed on."""
