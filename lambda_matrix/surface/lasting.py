"""Tasks that last as long as the service: one that ends by itself is a fault, and a loud one."""

from typing import NoReturn, Protocol

import trio


class TaskEndedError(Exception):
    """A task that was to last as long as the service has ended, without a word."""


class LastingTask(Protocol):
    """A task that says when it has begun, and goes on until it is cancelled."""

    async def __call__(self, *, task_status: trio.TaskStatus[None]) -> object:
        """Begin, say so, and go on."""
        ...


async def lasting(
    task: LastingTask, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
) -> NoReturn:
    """Do the task. Whoever supervises it would otherwise miss nothing, and nothing would be done.

    Raises:
        TaskEndedError: it has ended.
    """
    await task(task_status=task_status)
    raise TaskEndedError(f"{task} has ended, but was to last as long as the service")
