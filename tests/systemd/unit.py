"""A unit of a host, through systemctl as an operator uses it."""

from __future__ import annotations

from collections.abc import Callable

from attrs import frozen

from tests.systemd.machine import Ended, Machine, NotInTimeError, until

_SHOWN = (
    "ActiveState",
    "SubState",
    "Result",
    "StatusText",
    "MainPID",
    "NRestarts",
    "ExecMainStatus",
    "ExecMainCode",
    "InvocationID",
)


@frozen
class State:
    """What `systemctl show` says of a unit (systemd.service(5), org.freedesktop.systemd1(5))."""

    active: str
    sub: str
    result: str
    status_text: str
    main_pid: int
    restarts: int
    exit_status: int
    invocation: str


@frozen
class Unit:
    """A unit by its name, such as "lambda-matrix.service"."""

    machine: Machine
    name: str

    async def systemctl(self, verb: str, *options: str) -> None:
        """Let systemctl do it; errors as `Machine.run`."""
        await self.machine.run("systemctl", verb, *options, self.name)

    async def start(self) -> None:
        """Start it; with Type=notify that is until it is ready."""
        await self.systemctl("start")

    async def stop(self) -> None:
        """Stop it, and wait until it has."""
        await self.systemctl("stop")

    async def reload(self) -> Ended:
        """Reload it; how systemctl ended."""
        return await self.machine.attempt("systemctl", "reload", self.name)

    async def signal(self, name: str) -> None:
        """Send the main process a signal, such as "KILL"."""
        await self.systemctl("kill", f"--signal={name}", "--kill-whom=main")

    async def state(self) -> State:
        """How it is now."""
        properties = ",".join(_SHOWN)
        shown = await self.machine.run("systemctl", "show", f"--property={properties}", self.name)
        told = dict(line.split("=", 1) for line in shown.splitlines())
        return State(
            active=told["ActiveState"],
            sub=told["SubState"],
            result=told["Result"],
            status_text=told["StatusText"],
            main_pid=int(told["MainPID"]),
            restarts=int(told["NRestarts"]),
            exit_status=int(told["ExecMainStatus"]),
            invocation=told["InvocationID"],
        )

    async def until(self, check: Callable[[State], bool], what: str, within: float = 30) -> State:
        """Wait until its state is like that; errors as `until`."""
        seen: list[State] = []

        async def fits() -> State | None:
            state = await self.state()
            seen[:] = [state]
            return state if check(state) else None

        try:
            found = await until(fits, what, within)
        except NotInTimeError as error:
            raise NotInTimeError(f"{error}; {self.name} is {seen[0]}") from None
        assert found is not None
        return found

    async def until_active(self, within: float = 30) -> State:
        """Wait until it is ready."""
        return await self.until(lambda state: state.active == "active", "readiness", within)

    async def until_ended(self, within: float = 30) -> State:
        """Wait until it has ended for good, well or not."""
        ended = ("inactive", "failed")
        return await self.until(lambda state: state.active in ended, "end", within)
