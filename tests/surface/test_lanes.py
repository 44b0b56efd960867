"""One task per busy room, and the barrier between rooms."""

import pytest
import trio
import trio.testing

from lambda_matrix.ids import RoomId
from lambda_matrix.store.store import StoreDamagedError
from lambda_matrix.surface.lanes import FIRST_PAUSE, Lanes

ROOM, OTHER = RoomId("!room"), RoomId("!other")


async def test_a_room_is_served_once_for_many_wakes(nursery: trio.Nursery) -> None:
    served: list[RoomId] = []

    async def serve(room_id: RoomId) -> None:
        served.append(room_id)

    lanes = Lanes("test", serve)
    await nursery.start(lanes.run)
    lanes.wake([ROOM])
    lanes.wake([ROOM, OTHER])
    assert lanes.is_busy(ROOM)
    await trio.testing.wait_all_tasks_blocked()
    assert sorted(served) == [OTHER, ROOM]
    assert not lanes.is_busy(ROOM)
    assert lanes.busy == 0


async def test_a_wake_while_busy_has_the_lane_look_once_more(nursery: trio.Nursery) -> None:
    go_on = trio.Semaphore(0)
    looks = 0

    async def serve(_: RoomId) -> None:
        nonlocal looks
        looks += 1
        await go_on.acquire()

    lanes = Lanes("test", serve)
    await nursery.start(lanes.run)
    lanes.wake([ROOM])
    await trio.testing.wait_all_tasks_blocked()
    lanes.wake([ROOM])
    lanes.wake([ROOM])
    await trio.testing.wait_all_tasks_blocked()
    assert looks == 1, "a room has one lane"
    go_on.release()
    await trio.testing.wait_all_tasks_blocked()
    assert looks == 2
    go_on.release()
    await trio.testing.wait_all_tasks_blocked()
    assert (looks, lanes.busy) == (2, 0)


async def test_a_store_that_is_damaged_is_no_room_s_fault() -> None:
    async def serve(_: RoomId) -> None:
        raise StoreDamagedError("It is damaged.")

    lanes = Lanes("test", serve)
    with pytest.RaisesGroup(pytest.RaisesGroup(StoreDamagedError)):
        async with trio.open_nursery() as nursery:
            await nursery.start(lanes.run)
            lanes.wake([ROOM])


async def test_a_fault_in_one_room_is_its_own(
    nursery: trio.Nursery,
    autojump_clock: trio.testing.MockClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    looks: list[RoomId] = []
    faults: list[RoomId] = []

    async def serve(room_id: RoomId) -> None:
        looks.append(room_id)
        if room_id == ROOM and looks.count(ROOM) == 1:
            raise ValueError("out of order")

    async def after_fault(room_id: RoomId) -> None:
        faults.append(room_id)

    lanes = Lanes("test", serve, after_fault)
    await nursery.start(lanes.run)
    lanes.wake([ROOM, OTHER])
    await trio.sleep(FIRST_PAUSE / 2)
    assert OTHER in looks
    await trio.sleep(FIRST_PAUSE)
    assert looks.count(ROOM) == 2, "the room rests, and is looked at again"
    assert faults == [ROOM]
    assert "out of order" in caplog.text


async def test_who_is_active_is_waited_for_but_not_after_a_fault(
    nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    looks = 0

    async def serve(_: RoomId) -> None:
        nonlocal looks
        looks += 1
        await trio.sleep(5)
        if looks == 1:
            raise ZeroDivisionError

    lanes = Lanes("test", serve)
    await nursery.start(lanes.run)
    await lanes.wait_inactive(ROOM)
    lanes.wake([ROOM])
    assert lanes.active == {ROOM}
    await lanes.wait_inactive(ROOM)
    assert trio.current_time() == pytest.approx(5)
    assert lanes.active == frozenset()
    assert lanes.is_busy(ROOM), "it rests"
    await trio.sleep(FIRST_PAUSE + 0.1)
    assert lanes.active == {ROOM}
    await lanes.wait_inactive(ROOM)
    assert looks == 2
    assert trio.current_time() == pytest.approx(10 + FIRST_PAUSE)
