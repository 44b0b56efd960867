"""The database is damaged: while the service is down, and under its hands."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from functools import partial
from pathlib import Path
from random import Random
from typing import Final

import trio

from tests.faults.fault import Fault
from tests.faults.world import World

_DAMAGED: Final = 74
"""The exit status of a service whose database turned out to be damaged."""
_IN_TIME: Final = 60.0
_SET_ASIDE: Final = "set aside as lambda-matrix.db.damaged-"

Damage = Callable[[Path, Random], None]


def _scrawl(path: Path, draw: Random) -> None:
    """Garbage over a part of it."""
    content = bytearray(path.read_bytes())
    at = draw.randrange(0, len(content), 4096)
    content[at:] = draw.randbytes(len(content) - at)
    path.write_bytes(content)


def _cut_off(path: Path, draw: Random) -> None:
    """A restore that broke off."""
    content = path.read_bytes()
    path.write_bytes(content[: draw.randrange(1, len(content) - 4096)])


def _replace(path: Path, draw: Random) -> None:
    """Not a database at all."""
    path.write_bytes(draw.randbytes(draw.randint(1, 100_000)))


def _drop_a_table(path: Path, draw: Random) -> None:
    """A table is missing."""
    with closing(sqlite3.connect(path)) as database:
        names = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        (name,) = draw.choice([row for row in names if not row[0].startswith(("sqlite", "_"))])
        database.execute("PRAGMA foreign_keys = OFF")
        database.execute(f"DROP TABLE {name}")
        database.commit()


def _empty(path: Path, _draw: Random) -> None:
    """Nothing is left, and nothing of the log either."""
    path.write_bytes(b"")
    for ending in ("-wal", "-shm"):
        Path(f"{path}{ending}").unlink(missing_ok=True)


_DAMAGES: Final[Mapping[str, tuple[Damage, bool]]] = {
    "overwritten": (_scrawl, True),
    "cut off": (_cut_off, True),
    "something else": (_replace, True),
    "without one of its tables": (_drop_a_table, True),
    "empty": (_empty, False),
}
"""What may happen to it, and whether the file is worth to be set aside."""


async def _damage(damage: Damage, world: World, draw: Random, *, is_set_aside: bool) -> None:
    await world.wait_said(draw.randint(1, 6))
    await trio.sleep(draw.uniform(0, 3))
    await world.kill(restart=False)
    await trio.to_thread.run_sync(_check_point, world.database)
    await trio.to_thread.run_sync(damage, world.database, draw)
    world.service.start()
    await world.answer("anna 1", await world.ask("anna 1", f"after it {draw.random()}"))
    assert (_SET_ASIDE in world.service.log) is is_set_aside
    assert "Traceback" not in world.service.log


def _check_point(database: Path) -> None:
    """Have all of it be in one file, so that the damage is met."""
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


async def _damage_at_work(world: World, draw: Random) -> None:
    """It is met when a page is read that is not in memory; the next start begins anew."""
    await world.wait_said(draw.randint(1, 6))
    await world.kill(restart=False)
    await trio.to_thread.run_sync(_check_point, world.database)
    world.service.start()
    await world.answer("anna 1", await world.ask("anna 1", f"sound {draw.random()}"))
    content = await trio.Path(world.database).read_bytes()
    async with await trio.open_file(world.database, "r+b") as file:
        await file.write(content[:4096] + draw.randbytes(len(content) - 4096))
    await world.ask("boris 1", f"damaged {draw.random()}")
    await world.command("boris 1", "!chats", "")
    await world.command("anna 2", "!context", "")
    with trio.move_on_after(_IN_TIME):
        await world.service.wait_for(lambda: _DAMAGED in world.service.ends)
    if _DAMAGED not in world.service.ends:
        # All that it needed was in memory: then the next start meets it.
        await world.kill()
    await world.answer("anna 1", await world.ask("anna 1", f"after it {draw.random()}"))
    assert _SET_ASIDE in world.service.log
    assert world.service.ends.count(_DAMAGED) <= 1, "no loop"


FAULTS: Final = (
    *(
        Fault(
            name=f"the database is {what}",
            happen=partial(_damage, damage, is_set_aside=is_set_aside),
            combines=False,
        )
        for what, (damage, is_set_aside) in _DAMAGES.items()
    ),
    Fault(
        name="the database is overwritten at work",
        happen=_damage_at_work,
        combines=False,
        excuses=True,
        patience=120,
    ),
)
