"""A conversation as a room's history tells it, in the terms that agents are told one.

The theory. What we said tells what was asked: every event of an answer names its question, and the
context that it was asked in. So a person's message belongs to the conversation if an agent's answer
to it is there; whatever else was said (commands, bare numbers, talk among people, questions that
still wait) is answered by us in another way or not at all. Of an answer our own last words (it was
stopped, it broke off, a prompt) are left out, and if nothing else is there, so is the answer.

Events are taken newest first, as history is read: an edit comes before what it edits.
"""

from collections.abc import Iterator

from attrs import define, field, frozen

from lambda_matrix.agent_events import ThreadMessage
from lambda_matrix.conversation.decide import without_mention
from lambda_matrix.conversation.parsing import parse, spoken_text
from lambda_matrix.ids import EventId, PlatformChatId, UserId
from lambda_matrix.matrix_events import (
    AnswerMark,
    AnswerState,
    EncryptedMessage,
    MalformedEvent,
    MediaMessage,
    TextMessage,
    TimelineEvent,
    UnknownEvent,
)


@frozen
class _Part:
    event_id: EventId
    text: str
    mark: AnswerMark


@define
class Transcript:
    """Gathers the conversation of one context. `left_out` counts what cannot be read any more."""

    _ourselves: UserId
    _names: tuple[str, ...]
    _prefix: str
    _context: PlatformChatId
    left_out: int = 0
    _edits: dict[tuple[EventId, UserId], TextMessage] = field(factory=dict)
    _said: dict[EventId, TextMessage | MediaMessage] = field(factory=dict)
    _answers: dict[EventId, dict[int, _Part]] = field(factory=dict)

    def take(self, event: TimelineEvent) -> None:
        """Take the next older event."""
        match event:
            case TextMessage(replaces=str() as edited):
                self._edits.setdefault((EventId(edited), event.sender), event)
            case TextMessage() if event.sender == self._ourselves:
                self._take_answer(event)
            case TextMessage() | MediaMessage():
                self._said[event.event_id] = event
            case (
                EncryptedMessage()
                | MalformedEvent()
                | UnknownEvent(type="m.room.message", is_redacted=True)
            ):
                self.left_out += 1
            case _:
                pass

    @property
    def count(self) -> int:
        """How many messages there are in questions that are there with their answers."""
        return 2 * sum(question in self._said for question in self._answers)

    def messages(self) -> tuple[ThreadMessage, ...]:
        """Return the conversation, oldest first: each question, its files before it, its answer."""
        files = self._files()
        return tuple(
            message
            for question, parts in reversed(self._answers.items())
            if (asked := self._said.get(question)) is not None
            for message in (*files.get(question, ()), *self._asked(asked), *_answer(parts))
        )

    def _take_answer(self, event: TextMessage) -> None:
        edit = self._edits.get((event.event_id, event.sender))
        text, mark = event.newest_body, event.newest_answer
        if text is None:
            text, mark = (event.body, event.answer) if edit is None else (edit.body, edit.answer)
        if event.msgtype == "m.text" and mark is not None and self._is_answer(mark):
            assert mark.question is not None  # noqa: S101 - _is_answer looked
            part = _Part(event.event_id, text, mark)
            self._answers.setdefault(mark.question, {})[mark.part] = part

    def _is_answer(self, mark: AnswerMark) -> bool:
        return (
            mark.state is AnswerState.FINAL
            and mark.is_answer
            and mark.context in {None, self._context}
        )

    def _files(self) -> dict[EventId, list[ThreadMessage]]:
        """Return the files that went along with each question: those its asker sent before it."""
        files: dict[EventId, list[ThreadMessage]] = {}
        waiting: dict[UserId, list[ThreadMessage]] = {}
        for said in reversed(self._said.values()):
            if said.event_id in self._answers:
                files[said.event_id] = waiting.pop(said.sender, [])
            elif isinstance(said, MediaMessage):
                file = ThreadMessage(id=said.event_id, role="user", content=said.filename)
                waiting.setdefault(said.sender, []).append(file)
        return files

    def _asked(self, said: TextMessage | MediaMessage) -> Iterator[ThreadMessage]:
        if isinstance(said, MediaMessage):
            text = "\n\n".join(filter(None, (said.filename, said.caption)))
        elif parse(without_mention(said.body, self._names, self._prefix), self._prefix) is None:
            text = self._newest_text(said)
        else:
            return  # a command that an agent answered: a word on what it had asked, or !retry
        yield ThreadMessage(id=said.event_id, role="user", content=text)

    def _newest_text(self, said: TextMessage) -> str:
        edit = self._edits.get((said.event_id, said.sender))
        text = said.newest_body
        if text is None:
            text = said.body if edit is None else edit.body
        return spoken_text(without_mention(text, self._names, self._prefix), self._prefix)


def _answer(parts: dict[int, _Part]) -> Iterator[ThreadMessage]:
    """Give the parts of an answer as one message, if there is anything of an agent's in it."""
    ordered = [parts[number] for number in sorted(parts)]
    paragraphs = "\n\n".join(part.text for part in ordered).split("\n\n")
    paragraphs = paragraphs[: max(0, len(paragraphs) - ordered[-1].mark.own)]
    if any(paragraph.strip() for paragraph in paragraphs):
        yield ThreadMessage(
            id=ordered[0].event_id, role="assistant", content="\n\n".join(paragraphs)
        )
