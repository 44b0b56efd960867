"""What the tools do where the wire's tests do not lead."""

from pathlib import Path

import pytest

from lambda_matrix.reference.enclosures import enclose
from lambda_matrix.reference.endpoint import Endpoint
from lambda_matrix.reference.listening import Listener
from lambda_matrix.reference.run_input import Attachment, Call, Message
from lambda_matrix.reference.safe_files import UnsafePathError
from lambda_matrix.reference.toolbox import Consent, Deed, Result, Toolbox
from lambda_matrix.reference.tools import BadCallError, DeleteFile, read_call
from lambda_matrix.reference.workspace import read_attachment, read_place


def test_without_a_workspace_there_are_no_files() -> None:
    result = Toolbox(None, "7").judge(Call("c", "list_files", "{}"))
    assert result == Result("This agent has no workspace, so there are no files.")


def test_consent_is_asked_for_under_the_name_that_the_folder_gives(tmp_path: Path) -> None:
    toolbox = Toolbox(tmp_path, "7")
    (tmp_path / "chats" / "7" / "a").mkdir(parents=True)
    (tmp_path / "chats" / "7" / "a" / "b.txt").touch()
    for path in (
        "a/b.txt",
        "chats/7/a/b.txt",
        "/workspace/chats/7/a/b.txt",
        "/agents/chats/7/a/b.txt",
    ):
        arguments = f'{{"path": "{path}"}}'
        assert toolbox.judge(Call("c", "delete_file", arguments)) == Consent(Deed.DELETE, "a/b.txt")


def test_what_was_consented_to_is_done_against_what_is_there_then(tmp_path: Path) -> None:
    toolbox = Toolbox(tmp_path, "7")
    gone = toolbox.carry_out(Call("c", "delete_file", '{"path": "gone.txt"}'))
    assert gone == Result("Not possible: no such file or directory.")
    written = toolbox.carry_out(Call("c", "write_file", '{"path": "gone.txt", "content": "x"}'))
    assert written == Result("Written: gone.txt, 1 bytes.")
    other = toolbox.carry_out(Call("c", "list_files", "{}"))
    assert other == Result("This tool needs nobody's word.")


def test_half_a_character_is_written_as_a_question_mark(tmp_path: Path) -> None:
    toolbox = Toolbox(tmp_path, "7")
    call = Call("c", "write_file", '{"path": "a.txt", "content": "\\ud83d"}')
    assert isinstance(toolbox.judge(call), Result)
    assert (tmp_path / "chats" / "7" / "a.txt").read_text() == "?"
    assert toolbox.judge(call) == Consent(Deed.OVERWRITE, "a.txt")


@pytest.mark.parametrize("offset", ["1.5", "true", '"1"', "null"])
def test_an_offset_is_a_whole_number(offset: str) -> None:
    with pytest.raises(BadCallError, match="path, offset"):
        read_call(Call("c", "read_file", f'{{"path": "a", "offset": {offset}}}'))
    assert read_call(Call("c", "delete_file", '{"path": "a", "why": 1}')) == DeleteFile("a")


def test_a_place_is_read_within_its_bounds(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"123")
    assert read_place(tmp_path, "a", 3) == b"123"
    with pytest.raises(OSError, match="too large"):
        read_place(tmp_path, "a", 2)
    with pytest.raises(FileNotFoundError, match="no workspace"):
        read_place(None, "a", 2)
    inline = Attachment("image", "", data="MTIz")
    assert read_attachment(None, inline, 3) == b"123"
    with pytest.raises(OSError, match="too large"):
        read_attachment(None, inline, 2)
    with pytest.raises(UnsafePathError):
        read_attachment(None, Attachment("image", "", data="ж"), 2)


def test_only_the_newest_pictures_are_shown(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    picture = (Attachment("image", "a.png"),)
    conversation = [Message(f"{number}", "user", "", picture) for number in range(6)]
    shown = enclose(tmp_path, conversation, images=True, texts=False)
    assert sorted(message_id for message_id, _ in shown) == ["2", "3", "4", "5"]


async def test_what_was_heard_is_not_listened_to_again() -> None:
    heard = Message("1", "user", "", (Attachment("audio", "a.ogg", transcript="Yes"),))
    listener = Listener(Endpoint("http://127.0.0.1:9"), "ears", None)
    assert await listener.hear(heard) == heard
