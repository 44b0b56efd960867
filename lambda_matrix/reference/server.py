"""The bundled agent on the network: one connection, one run (docs/agent-wire.md).

A run lives in its connection's nursery beside a task that does nothing but listen, so the closing
of the socket ends even a run that is silent. A thread has one run at a time: the newest wins, for
a second one means that the first one's client is gone and its connection has not noticed.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial

import trio
from attrs import Factory, define, frozen
from trio_websocket import (
    ConnectionClosed,
    WebSocketConnection,
    WebSocketRequest,
    wrap_server_stream,
)

from lambda_matrix.reference.admission import Admission, Refused
from lambda_matrix.reference.run import Agent, Ending, perform
from lambda_matrix.reference.run_input import InputError, RunInput, parse_input
from lambda_matrix.reference.wire import SUBPROTOCOL

_log = logging.getLogger(__name__)

_MAX_INPUT = 16 * 1024 * 1024
"""Characters of the input frame; a larger one closes the connection with 1009."""
_MAX_CONNECTIONS = 1000
_HANDSHAKE_TIME = 10.0
_INPUT_TIME = 30.0
_SEND_TIME = 30.0
"""Seconds that a client may leave one frame unread."""
_CLOSING_TIME = 2.0

_NORMAL, _GOING_AWAY, _UNREADABLE, _VIOLATION, _FAULT = 1000, 1001, 1007, 1008, 1011


@frozen
class _Running:
    scope: trio.CancelScope = Factory(trio.CancelScope)
    ended: trio.Event = Factory(trio.Event)


@define
class _House:
    """What the connections share."""

    agent: Agent
    admission: Admission
    runs: dict[str, _Running] = Factory(dict)
    connections: int = 0
    stopping: bool = False


async def serve(
    agent: Agent,
    admission: Admission,
    listeners: Sequence[trio.SocketListener],
    stop: trio.Event,
    *,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve until `stop` is set; then cut the runs, close the connections (1001), and return.

    A run that is cut is not remembered as answered, so a client that asks again loses nothing.
    """
    house = _House(agent, admission)
    async with trio.open_nursery() as connections:
        async with trio.open_nursery() as accepting:
            accept = partial(
                trio.serve_listeners,
                partial(_receive, house),
                list(listeners),
                handler_nursery=connections,
            )
            await accepting.start(accept)
            task_status.started()
            await stop.wait()
            accepting.cancel_scope.cancel()
        house.stopping = True
        for run in house.runs.values():
            run.scope.cancel()
        connections.cancel_scope.deadline = trio.current_time() + _CLOSING_TIME


async def _receive(house: _House, stream: trio.SocketStream) -> None:
    house.connections += 1
    try:
        async with stream:
            await _serve_connection(house, stream)
    except Exception:  # noqa: BLE001 - the fault barrier: one broken connection is not the others' concern
        _log.exception("a connection ended in an unforeseen fault")
    finally:
        house.connections -= 1


async def _serve_connection(house: _House, stream: trio.SocketStream) -> None:
    async with trio.open_nursery() as nursery:
        with trio.move_on_after(_HANDSHAKE_TIME) as handshake:
            request = await wrap_server_stream(nursery, stream, max_message_size=_MAX_INPUT)
            thread_id = await _admit(house, request)
            if thread_id is not None:
                offered = SUBPROTOCOL in request.proposed_subprotocols
                socket = await request.accept(subprotocol=SUBPROTOCOL if offered else None)
                handshake.deadline = float("inf")
                await _converse(house, socket, thread_id)
        nursery.cancel_scope.cancel()


async def _admit(house: _House, request: WebSocketRequest) -> str | None:
    """Return the thread of a request that is let in; refuse the others."""
    host = request._event.host  # noqa: SLF001 - trio-websocket shows every header but this one
    verdict = house.admission.judge(request.path, host, request.headers)
    if house.connections > _MAX_CONNECTIONS:
        verdict = Refused(503, "too many connections")
    if isinstance(verdict, Refused):
        _log.warning("refused a connection with %d: %s", verdict.status, verdict.sentence)
        text = [(b"Content-Type", b"text/plain"), (b"Connection", b"close")]
        await request.reject(verdict.status, extra_headers=text, body=verdict.sentence.encode())
        return None
    return verdict.thread_id


async def _converse(house: _House, socket: WebSocketConnection, thread_id: str) -> None:
    try:
        run = await _read_input(socket, thread_id)
        code, reason = await _run(house, socket, run)
    except InputError as error:
        _log.warning("thread %s: refused an input: %s", thread_id, error)
        code, reason = _UNREADABLE, str(error)
    except trio.TooSlowError:
        code, reason = _VIOLATION, "too slow"
    except ConnectionClosed:
        return
    with trio.move_on_after(_CLOSING_TIME):
        await socket.aclose(code, reason)


async def _read_input(socket: WebSocketConnection, thread_id: str) -> RunInput:
    with trio.fail_after(_INPUT_TIME):
        run = parse_input(await socket.get_message())
    if run.thread_id != thread_id:
        raise InputError("threadId is not the thread_id of the address")
    return run


async def _run(house: _House, socket: WebSocketConnection, run: RunInput) -> tuple[int, str | None]:
    """Make the run; return with what to close."""
    ending = await _perform_while_heard(house, socket, run)
    _log.info("thread %s, run %s: %s", run.thread_id, run.run_id, ending.value if ending else "cut")
    if ending is None and house.stopping:
        return _GOING_AWAY, "the agent is stopped"
    if ending is None:
        return _VIOLATION, "a connection carries one input, a thread one run"
    return (_NORMAL, None) if ending is Ending.TOLD else (_FAULT, "broken off")


async def _perform_while_heard(
    house: _House, socket: WebSocketConnection, run: RunInput
) -> Ending | None:
    """Make the run for as long as the client listens; None if it was cut."""
    ending: Ending | None = None
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_end_with, socket, nursery.cancel_scope)
        try:
            with suppress(ConnectionClosed):  # a frame may meet the closing before the listener
                async with _only_run(house, run.thread_id):
                    ending = await perform(house.agent, run, partial(_send, socket))
        except trio.TooSlowError:
            _log.warning("thread %s: the client does not read", run.thread_id)
        nursery.cancel_scope.cancel()
    return ending


async def _end_with(socket: WebSocketConnection, scope: trio.CancelScope) -> None:
    """Cancel the run when the client closes, or says more than its one input."""
    with suppress(ConnectionClosed):
        await socket.get_message()
    scope.cancel()


async def _send(socket: WebSocketConnection, frame: str) -> None:
    with trio.fail_after(_SEND_TIME):
        await socket.send_message(frame)


@asynccontextmanager
async def _only_run(house: _House, thread_id: str) -> AsyncIterator[None]:
    """Hold the thread for one run, ending an older one first; the body may be cut short."""
    while (older := house.runs.get(thread_id)) is not None:
        older.scope.cancel()
        await older.ended.wait()
    current = house.runs[thread_id] = _Running()
    try:
        with current.scope:
            yield
    finally:
        del house.runs[thread_id]
        current.ended.set()
