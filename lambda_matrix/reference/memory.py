"""What the bundled agent remembers: one JSON-lines file for each thread.

A line is one run: the messages that it brought, and, if it came to its end, the answer. The line
is written once, when the run ends, and reaches the disk before the run says that it is finished.
So a run is remembered as answered or it is not; a run cut by a kill leaves at most a torn last
line, which the next reading takes away. What was acted on is never acted on twice: the answer to
a known request, or to decided interrupts, is read back and told again.

The files hold people's words: they are 0600 in a folder of 0700, and their names are made of
nothing but the thread's decimal number.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import trio
from attrs import Factory, define, evolve, field, frozen

from lambda_matrix.ids import RequestId
from lambda_matrix.reference.run_input import Attachment, Message, is_thread_id
from lambda_matrix.reference.strictness import make_converter
from lambda_matrix.reference.wire import Interrupt, Usage
from lambda_matrix.whole_file import sync_folder

_log = logging.getLogger(__name__)

_THREADS_AT_HAND = 256
"""Threads kept in memory; the others are read from disk when they are asked for."""


class MemoryInUseError(Exception):
    """Another agent uses the same state folder; the text is one sentence."""


@frozen
class Answer:
    """A run's answer, whole: its events as frames, so that it can be told again word by word.

    `messages` is what it adds to the conversation: what was said, which tools were called and what
    they gave, and a message of the person that more is known of now.
    """

    frames: tuple[str, ...]
    usage: Usage | None = None
    messages: tuple[Message, ...] = ()
    interrupts: tuple[Interrupt, ...] = ()
    decided: tuple[str, ...] = ()


@frozen
class Record:
    """One run, one line. `answer` is None if it was cancelled, cut, or failed.

    `messages` is what it brought, and what its tools did before it ended.
    """

    request: RequestId
    messages: tuple[Message, ...]
    answer: Answer | None = None


@frozen
class Asked:
    """An interrupt that is open, and the request whose run ended with it."""

    interrupt: Interrupt
    request: RequestId


@frozen
class _Place:
    offset: int
    length: int


@define
class Thread:
    """What is remembered of one conversation; messages are in order of their first coming."""

    path: Path | None
    messages: dict[str, Message] = Factory(dict)
    open_interrupts: dict[str, Asked] = Factory(dict)
    answers: dict[RequestId, _Place] = Factory(dict)
    decisions: dict[str, RequestId] = Factory(dict)

    def with_messages(self, messages: Iterable[Message]) -> tuple[Message, ...]:
        """Return the conversation with these messages: a known id keeps its place."""
        return tuple((self.messages | self._merged(messages)).values())

    def news_in(self, messages: Iterable[Message]) -> tuple[Message, ...]:
        """Return those of the messages that tell more than what is known, to be remembered."""
        merged = map(_without_data, self._merged(messages).values())
        return tuple(message for message in merged if self.messages.get(message.id) != message)

    def learn(self, record: Record, place: _Place) -> None:
        """Take in a run that stands in the file at `place`."""
        self.messages.update(self._merged(record.messages))
        if record.answer is None:
            return
        self.messages.update((one.id, one) for one in record.answer.messages)
        self.answers[record.request] = place
        for one in record.answer.interrupts:
            self.open_interrupts[one.id] = Asked(one, record.request)
        for interrupt_id in record.answer.decided:
            self.open_interrupts.pop(interrupt_id, None)
            self.decisions[interrupt_id] = record.request

    def _merged(self, messages: Iterable[Message]) -> dict[str, Message]:
        return {message.id: _merge(self.messages.get(message.id), message) for message in messages}


def _merge(known: Message | None, told: Message) -> Message:
    """A person may edit what was said; what the agent did and said it knows better itself."""
    if known is None:
        return told
    if told.role != "user":
        return known
    heard = {_place_in(known, one): one.transcript for one in known.attachments}
    attachments = (
        evolve(one, transcript=one.transcript or heard.get(_place_in(told, one)))
        for one in told.attachments
    )
    return evolve(told, attachments=tuple(attachments))


def _place_in(message: Message, attachment: Attachment) -> tuple[int, str]:
    """Tell attachments of one message apart; those that came inline have no place of their own."""
    return message.attachments.index(attachment), attachment.place


def _without_data(message: Message) -> Message:
    if all(one.data is None for one in message.attachments):
        return message
    return evolve(message, attachments=tuple(evolve(a, data=None) for a in message.attachments))


@define
class Memory:
    """All threads. Without a folder nothing is kept, and each run meets an empty thread."""

    directory: Path | None
    _at_hand: dict[str, Thread] = field(factory=dict, init=False)

    async def recall(self, thread_id: str) -> Thread:
        """Return what is remembered of a thread.

        Raises:
            OSError: the file is there and cannot be read.
        """
        if self.directory is None:
            return Thread(path=None)
        thread = self._at_hand.pop(thread_id, None)
        if thread is None:
            path = _file_of(self.directory, thread_id)
            thread = await trio.to_thread.run_sync(_read_thread, path)
        self._at_hand[thread_id] = thread
        if len(self._at_hand) > _THREADS_AT_HAND:
            del self._at_hand[next(iter(self._at_hand))]
        return thread

    async def keep(self, thread: Thread, record: Record) -> None:
        """Remember a run; on return it is on the disk.

        Raises:
            OSError: it could not be written; nothing of it is remembered.
        """
        if thread.path is None:
            return
        line = json.dumps(_CONVERTER.unstructure(record), separators=(",", ":")).encode() + b"\n"
        place = await trio.to_thread.run_sync(_append, thread.path, line)
        thread.learn(record, place)

    async def answer_to(self, thread: Thread, request: RequestId) -> Answer | None:
        """Return the answer that a request has had, if it has had one."""
        place = thread.answers.get(request)
        if place is None or thread.path is None:
            return None
        return await trio.to_thread.run_sync(_read_answer, thread.path, place)


@contextmanager
def open_memory(directory: Path | None) -> Iterator[Memory]:
    """Open the folder, made if it is missing, for this process alone.

    Raises:
        MemoryInUseError: another process has it open.
        OSError: it cannot be made or written.
    """
    if directory is None:
        yield Memory(None)
        return
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = os.open(directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise MemoryInUseError(f"another agent is using the folder {directory}") from None
        yield Memory(directory)
    finally:
        os.close(lock)


def _file_of(directory: Path, thread_id: str) -> Path:
    if not is_thread_id(thread_id):
        raise ValueError("a thread id is a decimal number")
    return directory / f"{thread_id}.jsonl"


def _read_thread(path: Path) -> Thread:
    thread = Thread(path)
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return thread
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        _log.warning("%s: the last line was cut off by a crash and is dropped", path.name)
        os.truncate(path, whole)
    offset = 0
    for line in content[:whole].splitlines(keepends=True):
        record = _parse(line)
        if record is None:
            _log.warning("%s: the line at byte %d cannot be read, skipped", path.name, offset)
        else:
            thread.learn(record, _Place(offset, len(line)))
        offset += len(line)
    return thread


def _parse(line: bytes) -> Record | None:
    try:
        return _CONVERTER.structure(json.loads(line), Record)
    except (ValueError, TypeError, KeyError):
        return None


def _read_answer(path: Path, place: _Place) -> Answer | None:
    with path.open("rb") as file:
        file.seek(place.offset)
        record = _parse(file.read(place.length))
    return None if record is None else record.answer


def _append(path: Path, line: bytes) -> _Place:
    """Append a line whole or not at all, and see it onto the disk."""
    fresh = not path.exists()
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        offset = os.fstat(file).st_size
        try:
            _write_all(file, line)
            os.fsync(file)
        except OSError:
            os.ftruncate(file, offset)
            raise
    finally:
        os.close(file)
    if fresh:
        sync_folder(path.parent)  # its name is to be as durable as its content
    return _Place(offset, len(line))


def _write_all(file: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]


_CONVERTER = make_converter()
