"""One completion of a model, told as it comes; asked for again where that is sensible.

A request that the endpoint refuses as one too many is made again after a while, and one that is
too long with less of the past. Neither is done once a part of the answer has been heard.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Final

import trio
from attrs import Factory, define, frozen

from lambda_matrix.reference import prompts
from lambda_matrix.reference.chat_request import Json, Limits, compose
from lambda_matrix.reference.completion import Completion, Tokens
from lambda_matrix.reference.enclosures import Enclosure, Place
from lambda_matrix.reference.endpoint import Endpoint, open_completion
from lambda_matrix.reference.model_errors import ModelError, ModelFault
from lambda_matrix.reference.model_settings import ModelSettings
from lambda_matrix.reference.run_input import Message
from lambda_matrix.reference.telling import Telling
from lambda_matrix.reference.tools import describe_tools
from lambda_matrix.reference.wire import TextContent, TextEnd, TextStart

_log = logging.getLogger(__name__)

_LONGEST_WAIT: Final = 20.0
"""Seconds before a request is made again, whatever the endpoint asks for."""
_PASSING: Final = frozenset(
    {ModelFault.UNREACHABLE, ModelFault.BUSY, ModelFault.BROKEN, ModelFault.CUT}
)
"""Faults that may be gone in a moment."""


@frozen
class Assistant:
    """A model, and how it is used."""

    endpoint: Endpoint
    settings: ModelSettings


@define
class Speaker:
    """Has completions made for one run; `tokens` is what they have cost, if the endpoint tells."""

    assistant: Assistant
    telling: Telling
    has_tools: bool
    enclosures: Mapping[Place, Enclosure] = Factory(dict)
    tokens: Tokens | None = None

    async def complete(
        self, message_id: str, conversation: Sequence[Message], *, may_call: bool
    ) -> Completion:
        """Have the model go on with a conversation; its text is told as a message of this id.

        Raises:
            ModelError: there is no answer, or not the whole of one.
        """
        settings = self.assistant.settings
        limits = Limits(settings.window_messages, settings.window_characters)
        messages = compose(conversation, self.enclosures, limits)
        tries = 0
        while True:
            told = len(self.telling.body)
            try:
                return await self._stream(message_id, self._body(messages, may_call=may_call))
            except ModelError as error:
                heard = len(self.telling.body) > told
                if heard or not self._is_worth_another(error, tries):
                    raise
                failure = error
            if _wants_less(failure, tries):
                limits, shorter = self._shortened(conversation, limits, messages)
                if len(shorter) == len(messages):
                    raise failure
                messages = shorter
            else:
                await self._wait(failure, tries)
                tries += 1

    def _is_worth_another(self, error: ModelError, tries: int) -> bool:
        may_repeat = tries < self.assistant.settings.retries
        return _wants_less(error, tries) or (error.fault in _PASSING and may_repeat)

    async def _wait(self, failure: ModelError, tries: int) -> None:
        wait = 2.0**tries if failure.retry_after is None else failure.retry_after
        wait = min(wait, _LONGEST_WAIT)
        _log.info("the model is asked again in %g s: %s", wait, failure)
        await trio.sleep(wait)

    def _shortened(
        self, conversation: Sequence[Message], limits: Limits, messages: list[Json]
    ) -> tuple[Limits, list[Json]]:
        """Return half the window, or as much less as it takes to leave a message out."""
        shorter = messages
        while limits.messages and len(shorter) == len(messages):
            limits = limits.halved()
            shorter = compose(conversation, self.enclosures, limits)
        return limits, shorter

    def _body(self, messages: list[Json], *, may_call: bool) -> Json:
        settings = self.assistant.settings
        system = prompts.instructions(settings.instructions, tools=self.has_tools)
        body: Json = {
            **settings.parameters,
            "model": settings.model,
            "messages": [{"role": "system", "content": system}, *messages],
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        if self.has_tools:
            body["tools"] = describe_tools()
            body["tool_choice"] = "auto" if may_call else "none"
        return body

    async def _stream(self, message_id: str, body: Json) -> Completion:
        """Have one completion, telling its text as it comes."""
        completion = Completion()
        try:
            async with open_completion(self.assistant.endpoint, body) as chunks:
                while (data := await chunks.receive()) is not None:
                    await self._tell(message_id, completion, data)
        except ModelError as error:
            if error.fault is not ModelFault.CUT or completion.finish is None:
                raise
        finally:
            self._spend(completion.tokens)
        if completion.finish is None:
            raise ModelError(ModelFault.CUT, "the stream ended in the middle of the answer")
        if completion.finish == "content_filter":
            raise ModelError(ModelFault.FILTERED, "finished by the content filter")
        if completion.text:
            await self.telling.tell(TextEnd(message_id))
        return completion

    async def _tell(self, message_id: str, completion: Completion, data: str) -> None:
        begins = not completion.text
        text = completion.take(data)
        if text and begins:
            await self.telling.tell(TextStart(message_id))
        if text:
            await self.telling.tell(TextContent(message_id, text))

    def _spend(self, tokens: Tokens | None) -> None:
        if tokens is not None:
            self.tokens = tokens if self.tokens is None else self.tokens + tokens


def _wants_less(failure: ModelError, tries: int) -> bool:
    """Tell whether a conversation should be asked about with less of its past.

    llama.cpp's Python server breaks off without a word when it is too long, so a stream that did
    so twice is taken for a complaint.
    """
    if failure.fault is ModelFault.CUT:
        return tries > 0
    return failure.fault is ModelFault.CONTEXT_TOO_LONG
