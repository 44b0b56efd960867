"""The PEX's warm start beside a plain environment's (`make bench-start`; docs/performance.md).

Both carry the same locked libraries, neither has any others. They are started in turn, so what
the machine does meanwhile hits both alike, and the ratio means more than a time. Exit status 1 if
the PEX takes more than 1.3 times as long.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from statistics import median

import trio
from attrs import frozen
from report import commit, machine, table, write

from lambda_matrix.demo.homeserver import HomeserverSettings, Limits, open_homeserver
from lambda_matrix.demo.own_programs import Restartable, open_agent, service_program
from lambda_matrix.demo.settings_files import ServiceSettings

PAGE = Path(__file__).parent.parent / "docs" / "performance.md"
_AIM = 1.3
"""How many times as long as the plain environment's start the PEX's may take."""


@frozen
class Cost:
    """What one start took, in seconds."""

    wall: float
    cpu: float


@frozen
class Way:
    """One way to start the product: the first words of its command line."""

    name: str
    product: Sequence[str]


def cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


async def versions(way: Way) -> Cost:
    """`--version`, from the start of the process until its end."""
    cpu, began = cpu_of_children(), time.perf_counter()
    await trio.run_process([*way.product, "--version"], stdout=subprocess.DEVNULL)
    return Cost(time.perf_counter() - began, cpu_of_children() - cpu)


def runs(programs: Mapping[str, Restartable]) -> Callable[[Way], Awaitable[Cost]]:
    """`run`, until READY=1; its CPU is until it has ended again."""

    async def run(way: Way) -> Cost:
        service = programs[way.name]
        cpu, began = cpu_of_children(), time.perf_counter()
        await service.start()
        wall = time.perf_counter() - began
        await service.stop()
        return Cost(wall, cpu_of_children() - cpu)

    return run


async def in_turn(
    ways: Sequence[Way], start: Callable[[Way], Awaitable[Cost]], rounds: int
) -> Mapping[str, Sequence[Cost]]:
    """Start each way once to warm it up, and then all of them `rounds` times."""
    for way in ways:
        await start(way)
    found: dict[str, list[Cost]] = {way.name: [] for way in ways}
    for number in range(rounds):
        for way in ways if number % 2 else reversed(ways):
            found[way.name].append(await start(way))
    return found


def rows(what: str, found: Mapping[str, Sequence[Cost]]) -> tuple[list[list[str]], float]:
    """The table's rows, and how many times as long as the plain environment the PEX took."""
    pairs = list(zip(found["PEX"], found["virtual environment"], strict=True))
    ratio = median(pex.wall / plain.wall for pex, plain in pairs)
    cpu = median(pex.cpu / plain.cpu for pex, plain in pairs)
    told = [
        [
            f"{what}, {name}",
            f"{min(cost.wall for cost in costs):.3f}",
            f"{median(cost.wall for cost in costs):.3f}",
            f"{median(cost.cpu for cost in costs):.3f}",
            f"{ratio:.2f}" if name == "PEX" else "1.00",
            f"{cpu:.2f}" if name == "PEX" else "1.00",
        ]
        for name, costs in found.items()
    ]
    return told, ratio


async def measure(pex: Path, plain: Path, synapse_python: Path, rounds: int) -> tuple[str, bool]:
    """The table, and whether the aim is met."""
    ways = [
        Way("virtual environment", (str(plain / "bin/python"), "-I", "-m", "lambda_matrix")),
        Way("PEX", (str(pex),)),
    ]
    async with AsyncExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        homeserver = await stack.enter_async_context(
            open_homeserver(
                HomeserverSettings(
                    python=synapse_python, directory=directory / "hs", limits=Limits.UNLIMITED
                )
            )
        )
        agent = await stack.enter_async_context(open_agent(directory / "agent"))
        programs = {}
        for number, way in enumerate(ways):
            settings = ServiceSettings(
                directory=directory / f"service{number}",
                homeserver_url=homeserver.url,
                bot=await homeserver.register(f"bot{number}", "of a throw-away homeserver"),
                agent_url=agent.url,
                agent_token=agent.token,
            )
            programs[way.name] = Restartable(service_program(settings, way.product))
        told, ratio = rows("`--version`", await in_turn(ways, versions, rounds))
        more, other = rows("`run` to READY=1", await in_turn(ways, runs(programs), rounds))
    head = ["", "best s", "median s", "CPU s", "/ plain", "CPU / plain"]
    return table(head, [*told, *more]), max(ratio, other) <= _AIM


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pex", type=Path, required=True)
    parser.add_argument("--plain", type=Path, required=True)
    parser.add_argument("--synapse-python", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as root:
        os.environ["PEX_ROOT"] = root
        told, is_met = trio.run(
            measure,
            asked.pex.resolve(),
            asked.plain.resolve(),
            asked.synapse_python.absolute(),
            asked.rounds,
        )
    heading = f"`make bench-start` on {time.strftime('%Y-%m-%d')}, commit {commit()}; {machine()}."
    told = f"{heading}\n\n{told}"
    print(told)
    if asked.write:
        write(told, PAGE, "start")
    if not is_met:
        sys.exit(f"more than {_AIM} times as long")


if __name__ == "__main__":
    main()
