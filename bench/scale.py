"""One process with 1,000 rooms of 200 people (`make bench-scale`; docs/performance.md).

The homeserver is populated once, by the service itself, and kept in a folder; each run measures on
a copy. Starts with the database and without it are measured in turn. Exit status 1 if a question of
a wave was lost or answered twice; no figure of time or memory fails anything.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import trio
from access_log import AccessLog, switch_on
from attrs import evolve, frozen
from batches import Cost, compare, open_side
from contenders import join_next, pid_of
from population import Population, Resident, Size, copied, populated, settings_of
from report import Circumstances, commit, synapse_version, write
from scale_report import Found, report
from starting import Stage, Start, State
from waves import Shore, Wave

from lambda_matrix.demo.homeserver import Account, Homeserver, open_homeserver
from lambda_matrix.demo.own_programs import AgentPlace, Restartable, open_agent, service_program
from lambda_matrix.demo.person import open_person
from lambda_matrix.demo.processes import Program
from lambda_matrix.demo.settings_files import NO_LIMITS, ServiceSettings, Table

PAGE = Path(__file__).parent.parent / "docs" / "performance.md"
KEPT = Path(__file__).parent.parent / ".bench-scale"
_PASSWORD = "of a throw-away homeserver"
_ECHO = ("--mode", "echo")
_PLAIN = "hello"
_STREAMED = "slow 5 " + " ".join(f"word-{number}" for number in range(50))
_RAISED: Mapping[str, Table] = {"limits": {"runs": 1000}}
_BATCH_ROUNDS = 4
_SMALL_CHATS = 2


@frozen
class Plan:
    """How much is made, and how often it is measured."""

    size: Size
    starts: int
    batches: int


FULL = Plan(Size(people=200, chats=4, long=24, short=6), starts=3, batches=25)
QUICK = Plan(Size(people=5, chats=2, long=12, short=3), starts=2, batches=5)


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


@frozen
class Bench:
    """A populated homeserver that runs, and the folder of this run."""

    plan: Plan
    population: Population
    homeserver: Homeserver
    log: AccessLog
    directory: Path
    pex: Path | None

    def program(
        self, name: str, bot: Account, agent: AgentPlace, more: Mapping[str, Table]
    ) -> tuple[Program, State]:
        """A service of the folder `name`, and where its database is."""
        settings = ServiceSettings(
            more=more,
            directory=self.directory / name,
            homeserver_url=self.homeserver.url,
            bot=bot,
            agent_url=agent.url,
            agent_token=agent.token,
            server_name=self.homeserver.server_name,
        )
        program = service_program(settings)
        if self.pex is not None:
            arguments = program.command[program.command.index("run") :]
            program = evolve(program, command=[str(self.pex), *arguments])
        return program, State(settings.directory / "state")

    def stage(self, agent: AgentPlace, more: Mapping[str, Table] = NO_LIMITS) -> Stage:
        """The populated service."""
        program, state = self.program("service", self.population.bot, agent, more)
        return Stage(program, state, self.population, self.log)

    async def starts(self, stage: Stage) -> tuple[Sequence[Start], Sequence[Start]]:
        """Warm starts and cold ones."""
        say("a start to warm up, and to bring the database up to date")
        await stage.starts(1, forgetting=False)
        warm: list[Start] = []
        cold: list[Start] = []
        for number in range(1, self.plan.starts + 1):
            say(f"starts with the database, round {number} of {self.plan.starts}")
            warm += await stage.starts(1, forgetting=False)
            say(f"start without the database, round {number} of {self.plan.starts}")
            cold += await stage.starts(1, forgetting=True)
        return warm, cold

    async def batches(self) -> Sequence[Cost]:
        """What a batch costs in many rooms and in few."""
        say("batches of sync, in many rooms and in few")
        async with AsyncExitStack() as opened:
            agents = [
                await opened.enter_async_context(open_agent(self.directory / name, _ECHO))
                for name in ("echo", "small-echo")
            ]
            bot = await self.homeserver.register("small", _PASSWORD)
            program, state = self.program("small", bot, agents[1], NO_LIMITS)
            stage = self.stage(agents[0])
            services = []
            for each in (stage.program, program):
                service = Restartable(each)
                opened.push_async_callback(service.stop)
                await service.start(within=300)
                services.append(service)
            person = await self._newcomer(bot)
            many = Cost("many rooms", self.population.rooms)
            few = Cost("few rooms", len(person.chats) + 2)
            sides = [
                await opened.enter_async_context(
                    open_side(
                        cost,
                        self.homeserver.url,
                        someone,
                        account.user_id,
                        (pid_of(service), self.log.process),
                        where,
                    )
                )
                for cost, someone, account, service, where in (
                    (
                        many,
                        self.population.people[0],
                        self.population.bot,
                        services[0],
                        stage.state,
                    ),
                    (few, person, bot, services[1], state),
                )
            ]
            await compare(sides, _BATCH_ROUNDS, self.plan.batches)
        return many, few

    async def _newcomer(self, bot: Account) -> Resident:
        """Somebody who has a few chats with a bot of their own."""
        account = await self.homeserver.register("newcomer", _PASSWORD)
        async with open_person(self.homeserver.url, account) as person:
            await person.direct_chat(bot.user_id)
            await join_next(person, bot.user_id, is_space=True)
            chats = [await join_next(person, bot.user_id, is_space=False)]
            while len(chats) < _SMALL_CHATS:
                await person.say(chats[0], "!new")
                chats.append(await join_next(person, bot.user_id, is_space=False))
        return Resident(account, tuple(chats))

    async def waves(self, agent: AgentPlace, more: Mapping[str, Table], limits: str) -> list[Wave]:
        """Everybody asks at once: something short, once more, and something that is streamed."""
        stage = self.stage(agent, more)
        service = Restartable(stage.program)
        try:
            await service.start(within=300)
            processes = {
                "service": pid_of(service),
                "agent": pid_of(agent.program),
                "homeserver": self.log.process,
            }
            bot = self.population.bot.user_id
            shore = Shore(self.homeserver.url, bot, processes, stage.state)
            found = []
            for title, text in (
                ("short", _PLAIN),
                ("short, again", _PLAIN),
                ("streamed for 5 s", _STREAMED),
            ):
                say(f"all people at once, {limits}: {title}")
                found.append(await shore.wave(f"{title}; {limits}", self.population.people, text))
            return found
        finally:
            await service.stop()  # noqa: ASYNC102 - it shields itself, with a timeout


async def run(bench: Bench, parts: Sequence[str]) -> Found:
    warm: Sequence[Start] = ()
    cold: Sequence[Start] = ()
    tasks: Mapping[str, int] = {}
    costs: Sequence[Cost] = ()
    waves: list[Wave] = []
    async with open_agent(bench.directory / "agent-of-waves") as agent:
        stage = bench.stage(agent)
        if "starts" in parts:
            warm, cold = await bench.starts(stage)
            if bench.pex is None:
                tasks = await stage.tasks(bench.directory)
        if "batches" in parts:
            costs = await bench.batches()
        if "waves" in parts:
            waves += await bench.waves(agent, {}, "default limits")
            waves += await bench.waves(agent, _RAISED, "1,000 runs")
    return Found(bench.population, warm, cold, tasks, costs, waves)


@asynccontextmanager
async def open_bench(chosen: argparse.Namespace, directory: Path) -> AsyncIterator[Bench]:
    plan = QUICK if chosen.quick else FULL
    plan = evolve(plan, starts=chosen.starts or plan.starts)
    python = chosen.synapse_python.absolute()
    kept = chosen.kept / ("quick" if chosen.quick else "full")
    kept.mkdir(parents=True, exist_ok=True)
    population = await populated(kept, python, plan.size, say)
    copied(kept, directory)
    async with open_homeserver(settings_of(directory, python)) as homeserver:
        log = await switch_on(homeserver, directory / "homeserver")
        pex = None if chosen.pex is None else chosen.pex.absolute()
        yield Bench(plan, population, homeserver, log, directory, pex)


async def main(chosen: argparse.Namespace, directory: Path) -> int:
    began, measured = time.monotonic(), commit()
    async with open_bench(chosen, directory) as bench:
        found = await run(bench, chosen.part or PARTS)
        synapse = await synapse_version(bench.homeserver)
    text = report(
        found,
        Circumstances(
            command="make bench-scale",
            date=time.strftime("%Y-%m-%d"),
            commit=measured,
            synapse=synapse,
            seconds=time.monotonic() - began,
        ),
    )
    print(text)
    if chosen.write:
        write(text, PAGE, "scale")
    return int(any(wave.faults for wave in found.waves))


PARTS = ("starts", "batches", "waves")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--synapse-python", type=Path, required=True, metavar="PYTHON")
    parser.add_argument(
        "--kept",
        type=Path,
        default=KEPT,
        metavar="FOLDER",
        help="where the populated homeserver is",
    )
    parser.add_argument("--quick", action="store_true", help="few people, to see that it works")
    parser.add_argument("--write", action="store_true", help="also write docs/performance.md")
    parser.add_argument("--part", action="append", choices=PARTS, help="this part alone")
    parser.add_argument("--starts", type=int, metavar="N", help="this many starts of each kind")
    parser.add_argument("--pex", type=Path, metavar="FILE", help="measure this file's service")
    return parser.parse_args()


if __name__ == "__main__":
    arguments = parse()
    with tempfile.TemporaryDirectory(prefix="lambda-matrix-bench-") as temporary:
        sys.exit(trio.run(main, arguments, Path(temporary)))
