"""The browser of `browser.mjs` as a child process: one JSON line a deed, one back when done."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import trio
from attrs import define, frozen

from lambda_matrix.demo.homeserver import Account
from lambda_matrix.ids import RoomId

HERE = Path(__file__).parent
_WITHIN = 60.0
"""Seconds for one deed: its own patience is shorter."""


class BrowserError(Exception):
    """The browser could not do something, or did not see what it should have."""


@frozen
class Screen:
    """A window's size in CSS pixels, and how many real ones each has."""

    width: int
    height: int
    scale: float


DESKTOP = Screen(1000, 660, 1.5)
PHONE = Screen(400, 780, 1.5)


@define
class Browser:
    """One window with one person signed in; made by `open_browser`."""

    _process: trio.Process
    _received: bytes = b""

    async def sign_in(self, homeserver: str, account: Account, screen: Screen) -> None:
        """Sign in as `account` in a new window; an earlier one is closed."""
        await self._do(
            "login",
            homeserver=homeserver,
            user=account.user_id,
            password=account.password,
            width=screen.width,
            height=screen.height,
            scale=screen.scale,
        )

    async def open_room(self, room: RoomId, see: str) -> None:
        """Open a room or an invite, and wait until `see` is there to be read."""
        await self._do("open", room=room)
        await self.see(see)

    async def see(self, text: str) -> None:
        """Wait until the text is shown.

        Raises:
          BrowserError: it is not, in time.
        """
        await self._do("see", text=text)

    async def press(self, name: str) -> None:
        """Press the button of this name."""
        await self._do("press", name=name)

    async def type(self, text: str) -> None:
        """Write a message in the room that is open, and send it."""
        await self._do("type", text=text)

    async def send_picture(self, path: Path) -> None:
        """Send a picture to the room that is open."""
        await self._do("send", path=str(path))

    async def shoot(self, path: Path, height: int | None) -> None:
        """Write a PNG of the window, made so high (in CSS pixels) for it."""
        await self._do("shoot", path=str(path), height=height)

    async def _do(self, deed: str, **how: object) -> None:
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise BrowserError("the browser has no pipes")
        with trio.move_on_after(_WITHIN) as scope:
            await stdin.send_all(json.dumps({"deed": deed, **how}).encode() + b"\n")
            while b"\n" not in self._received:
                received = bytes(await stdout.receive_some())
                if not received:
                    raise BrowserError(f"the browser ended while it should {deed}")
                self._received += received
        if scope.cancelled_caught:
            raise BrowserError(f"the browser did not {deed} within {_WITHIN:g} s")
        line, _, self._received = self._received.partition(b"\n")
        if error := json.loads(line).get("error"):
            raise BrowserError(error)


@asynccontextmanager
async def open_browser(build: Path) -> AsyncIterator[Browser]:
    """A headless chromium with Hydrogen, which is put together in the folder `build`.

    Raises:
      BrowserError: Node.js or chromium is not installed.
    """
    command = [_program("nodejs", "node"), "browser.mjs", _program("chromium"), str(build)]
    process = await trio.lowlevel.open_process(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=HERE
    )
    try:
        yield Browser(process)
    finally:
        if process.stdin is not None:
            with trio.CancelScope(shield=True, deadline=trio.current_time() + 5):
                await process.stdin.aclose()
                await process.wait()
        process.kill()


def _program(*names: str) -> str:
    for name in names:
        if found := shutil.which(name):
            return found
    raise BrowserError(f"{names[0]} is not installed (Debian: apt install {names[0]})")
