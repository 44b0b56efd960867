"""The service beside other bots on one homeserver (`make bench`; docs/performance.md).

All contenders run at once and are measured in turn, in blocks whose order rotates, so that what the
machine does meanwhile hits all alike. Exit status 1 if the service lost, doubled or disordered an
answer; no figure of time fails anything.
"""

from __future__ import annotations

import argparse
import pstats
import shlex
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import trio
from access_log import switch_on
from attrs import frozen
from contenders import PEERS, SERVICE, Contender, Entry, Ground
from measuring import Bench, Findings
from report import Circumstances, commit, report, synapse_version, write
from usage import peak_memory

from lambda_matrix.demo.homeserver import (
    HomeserverSettings,
    Limits,
    open_homeserver,
)

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "performance.md"


@frozen
class Size:
    """How much is asked: rounds of sequential questions, bursts, and what is asked before."""

    rounds: int
    questions: int
    bursts: int
    rooms: int
    each: int
    warm_up: int = 10


FULL = Size(rounds=10, questions=20, bursts=2, rooms=50, each=10)
QUICK = Size(rounds=4, questions=10, bursts=1, rooms=10, each=10)
PROFILE = Size(rounds=1, questions=300, bursts=0, rooms=1, each=0)


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


async def run(entries: Sequence[Entry], size: Size, ground: Ground) -> list[Findings]:
    settings_directory = ground.directory / "homeserver"
    bench = Bench(await switch_on(ground.homeserver, settings_directory))
    found = [Findings(entry) for entry in entries]
    async with AsyncExitStack() as opened:
        contenders: list[Contender] = []
        for entry in entries:
            say(f"{entry.name}: starting, {size.rooms} rooms")
            contenders.append(await opened.enter_async_context(entry.open(ground)))
        pairs = list(zip(contenders, found, strict=True))
        for contender in contenders:
            for _ in range(size.warm_up):
                await contender.asker.ask(contender.rooms[0])
        for number, turn in enumerate(_turns(pairs, size.rounds), 1):
            say(f"round trips, round {number} of {size.rounds}")
            for contender, into in turn:
                await bench.talk(contender, size.questions, into)
        for number, turn in enumerate(_turns(pairs, size.bursts), 1):
            say(f"burst {number} of {size.bursts}")
            for contender, into in turn:
                await bench.burst(contender, size.each, into)
        for contender, into in pairs:
            into.memory = {name: peak_memory(pid) for name, pid in contender.processes.items()}
    return found


def _turns(
    pairs: Sequence[tuple[Contender, Findings]], rounds: int
) -> Iterator[Sequence[tuple[Contender, Findings]]]:
    """The order of each round: everybody moves up by one."""
    for number in range(rounds):
        first = number % len(pairs)
        yield [*pairs[first:], *pairs[:first]]


async def main(chosen: argparse.Namespace, directory: Path) -> int:
    began, measured = time.monotonic(), commit()  # the tree may change while this runs
    settings = HomeserverSettings(
        python=chosen.synapse_python.absolute(),
        directory=directory / "homeserver",
        limits=Limits.UNLIMITED,
    )
    entries = [PEERS[0], SERVICE] if chosen.profile else [*PEERS, SERVICE]
    size = PROFILE if chosen.profile else QUICK if chosen.quick else FULL
    profile = directory / "profile" if chosen.profile else None
    if chosen.only:
        entries = [entry for entry in entries if entry.name in chosen.only]
    async with open_homeserver(settings) as homeserver:
        found = await run(entries, size, Ground(homeserver, directory, size.rooms, profile))
        synapse = await synapse_version(homeserver)
    text = report(
        found,
        Circumstances(
            command=f"make bench{_arguments()}",
            date=time.strftime("%Y-%m-%d"),
            commit=measured,
            synapse=synapse,
            seconds=time.monotonic() - began,
        ),
    )
    print(text)
    if chosen.write:
        write(text, PAGE)
    if profile is not None:
        _show_profile(profile)
    return int(any(each.faults for each in found if each.entry is SERVICE))


def _arguments() -> str:
    """What was given besides the interpreter of Synapse, which the Makefile gives."""
    given = sys.argv[1:]
    place = given.index("--synapse-python")
    more = given[:place] + given[place + 2 :]
    return f" ARGS={shlex.quote(' '.join(more))}" if more else ""


def _show_profile(profile: Path) -> None:
    for order in ("tottime", "cumulative"):
        stats = pstats.Stats(str(profile), stream=sys.stdout)
        stats.sort_stats(order).print_stats(25)
        stats.print_stats("lambda_matrix/", 40)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--synapse-python", type=Path, required=True, metavar="PYTHON")
    parser.add_argument("--quick", action="store_true", help="a short run, to see that it works")
    parser.add_argument("--write", action="store_true", help="also write docs/performance.md")
    parser.add_argument(
        "--profile", action="store_true", help="the service under cProfile, and the floor"
    )
    parser.add_argument("--only", action="append", metavar="NAME", help="this contender alone")
    return parser.parse_args()


if __name__ == "__main__":
    arguments = parse()
    with tempfile.TemporaryDirectory(prefix="lambda-matrix-bench-") as temporary:
        sys.exit(trio.run(main, arguments, Path(temporary)))
