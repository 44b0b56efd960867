from __future__ import annotations

import pytest
import trio

from lambda_matrix.surface.lasting import TaskEndedError, lasting


async def test_a_task_that_ends_by_itself_is_a_fault() -> None:
    async def ends(*, task_status: trio.TaskStatus[None]) -> None:
        task_status.started()
        await trio.lowlevel.checkpoint()

    with pytest.RaisesGroup(TaskEndedError):
        async with trio.open_nursery() as nursery:
            await nursery.start(lasting, ends)
            await trio.sleep_forever()
