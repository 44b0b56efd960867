"""The conversation that the demo has, and what must be seen from the person's side for it to pass.

Each step has its own deadline; what does not come in time, or is not as it should be, ends it.
"""

from __future__ import annotations

from attrs import define, field

from lambda_matrix.demo.person import Person
from lambda_matrix.demo.transcript import Transcript
from lambda_matrix.demo.view import Answer, Message, RoomView
from lambda_matrix.ids import EventId, RoomId, UserId

_WORD = "kingfisher"
_FILE = "shopping.txt"
_SHORT = 15.0
"""Seconds within which whatever is quick must have happened."""


class StoryError(Exception):
    """Something was not as it should be, in one sentence."""


@define
class Story:
    """Tells itself: `script` shows it. `chats` are the person's chat rooms, by their labels."""

    person: Person
    bot: UserId
    script: Transcript
    chats: dict[str, RoomId] = field(factory=dict)
    asked: int = 0

    async def tell(self) -> None:
        """The whole of it.

        Raises:
          StoryError: an answer was not as it should be.
          NotSeenError: it did not come in time.
          CallError: the homeserver refused something to the person.
        """
        await self._onboarding()
        await self._streaming()
        await self._second_chat()
        await self._memory()
        await self._consent()
        await self._files()
        await self._stopping()
        await self._settings()
        await self._count()

    async def _onboarding(self) -> None:
        self.script.chapter("Anna invites the bot into a direct chat")
        direct = await self.person.direct_chat(self.bot)
        space = await self.wait_invite(is_space=True)
        chat = await self.wait_invite(is_space=False)
        for room in (space, chat):
            await self.person.join(room)
        name = self.person.rooms[space].name
        await self.person.wait_for(space, lambda view: chat in view.children, _SHORT, "the child")
        self.script.good(f"she has a Space, “{name}”, and a first chat in it; she joins both")
        self.chats["chat 1"] = chat
        for label, room in (("direct", direct), ("chat 1", chat)):
            greeting = await self.person.wait_for(room, self._first_words, _SHORT, "a greeting")
            self._said_by_bot(label, greeting.body)

    async def _streaming(self) -> None:
        self.script.chapter("She talks; the answers stream")
        await self.ask("chat 1", f"The magic word is {_WORD}.", expect=_WORD)
        answer = await self.ask("chat 1", "slow 3 seconds of a streamed answer", within=30)
        if not answer.previews:
            raise StoryError("the slow answer came in one piece; it should have been seen to grow")
        self._show_growth(answer)

    async def _second_chat(self) -> None:
        self.script.chapter("A second chat knows nothing of the first")
        await self.ask("chat 1", "!new Second")
        self.chats["chat 2"] = await self.wait_invite(is_space=False)
        await self.person.join(self.chats["chat 2"])
        answer = await self.ask("chat 2", "recall")
        if _WORD in answer.text:
            raise StoryError("the second chat knows what was said in the first")
        answer = await self.ask("chat 2", "table")
        if "<table" not in (answer.parts[-1].html or ""):
            raise StoryError("the table has not become one in the formatted body")
        self.script.note("the Markdown is formatted: her client shows a table")

    async def _memory(self) -> None:
        self.script.chapter("She saves the first conversation, and goes on from it in the second")
        await self.ask("chat 1", "!save Birds", expect="Birds")
        await self.ask("chat 2", "!load Birds", expect="Birds")
        await self.ask("chat 2", "recall", expect=_WORD)
        self.script.good("the second chat knows the magic word now")

    async def _consent(self) -> None:
        self.script.chapter("The agent asks before it acts")
        await self.ask("chat 1", "confirm 2", expect="!yes")
        answer = await self.ask("chat 1", "!yes 2", expect="confirm-2`: done")
        if "confirm-1`: left alone" not in answer.text:
            raise StoryError("the agent did what she had not agreed to")
        self.script.good("only what she agreed to was done")

    async def _files(self) -> None:
        self.script.chapter("Files go both ways")
        room = self.chats["chat 1"]
        self._asks("chat 1", f"[sends {_FILE}]")
        sent = await self.person.send_file(room, _FILE, b"Seed for the birds.\n", "text/plain")
        received = await self.person.wait_for_answer(room, sent, self.bot, _SHORT)
        self._said_by_bot("chat 1", received.text)
        await self.ask("chat 1", "What is in it?", expect=_FILE)
        await self.ask("chat 1", "file image")
        picture = await self.person.wait_for(room, self._picture, _SHORT, "a picture")
        content = await self.person.download(picture.address or "")
        if not content.startswith(b"\x89PNG"):
            raise StoryError("what came as a picture is none")
        self.script.good(f"the agent's picture came too, a PNG of {len(content):,} bytes")

    async def _stopping(self) -> None:
        self.script.chapter("She stops an answer")
        question = await self._say(
            "chat 2",
            "slow 40 seconds for many words that nobody has the patience to read to their end",
        )
        room = self.chats["chat 2"]
        await self.person.wait_for(
            room, lambda view: view.answer(question, self.bot), _SHORT, "a preview"
        )
        await self._say("chat 2", "!stop")
        answer = await self.person.wait_for_answer(room, question, self.bot, _SHORT)
        self._said_by_bot("chat 2", answer.text)
        self.script.good("it ended at once, and what was there has stayed")

    async def _settings(self) -> None:
        self.script.chapter("She looks at it all, and has the bot speak Russian")
        await self.ask("chat 2", "!settings", expect="language")
        await self.ask("chat 2", "!set language ru", expect="Готово")
        await self.ask("chat 2", "!статус", expect="на связи")
        await self.ask("chat 2", "!настроить язык en", expect="Done")

    async def _count(self) -> None:
        """Look once more at everything that was asked: `!stop` is answered, too."""
        answered = 0
        for room in self.chats.values():
            for said in self.person.rooms[room].said_by(self.person.user_id):
                answer = await self.person.wait_for_answer(room, said.event_id, self.bot, _SHORT)
                if answer.doubled:
                    raise StoryError(f"“{said.body}” was answered more than once")
                answered += 1
        if answered != self.asked:
            raise StoryError(f"{self.asked} were asked, and {answered} answered")
        self.script.chapter(f"{self.asked} asked, {answered} answered, each once")

    async def wait_invite(self, within: float = 30, *, is_space: bool) -> RoomId:
        """Wait for the bot's invite to a chat or a Space that the person is not in yet."""

        def find() -> RoomId | None:
            for room_id, view in self.person.rooms.items():
                invited = view.membership == "invite" and view.inviter == self.bot
                if invited and view.is_space == is_space:
                    return room_id
            return None

        kind = "Space" if is_space else "chat"
        return await self.person.wait_until(find, within, f"the invite to a {kind}")

    async def ask(
        self, label: str, text: str, *, expect: str = "", within: float = _SHORT
    ) -> Answer:
        """Say something, and show the answer when it is whole.

        Raises:
          StoryError: it does not hold what is expected of it.
        """
        question = await self._say(label, text)
        answer = await self.person.wait_for_answer(self.chats[label], question, self.bot, within)
        self._said_by_bot(label, answer.text)
        if expect not in answer.text:
            raise StoryError(f"the answer to “{text}” does not hold “{expect}”")
        return answer

    async def _say(self, label: str, text: str) -> EventId:
        self._asks(label, text)
        return await self.person.say(self.chats[label], text)

    def _asks(self, label: str, text: str) -> None:
        self.script.said("Anna", label, text)
        self.asked += 1

    def _said_by_bot(self, label: str, text: str) -> None:
        self.script.said("Lambda", label, text, by_bot=True)

    def _first_words(self, view: RoomView) -> Message | None:
        return next(iter(view.said_by(self.bot)), None)

    def _picture(self, view: RoomView) -> Message | None:
        return next((said for said in view.said_by(self.bot) if said.msgtype == "m.image"), None)

    def _show_growth(self, answer: Answer) -> None:
        lengths = [len(version) for part in answer.parts for version in part.versions]
        shown = " → ".join(map(str, lengths))
        self.script.note(f"it was seen to grow, in characters: {shown} (one event, edited)")
