"""try_pex.py FILE.pex: it runs under every CPython from 3.11 to 3.14 that is found here.

Each tells its version, looks into a picture (by compiled code, in a process of its own), refuses a
wrong configuration, installs itself below a folder and removes that again, and serves as the agent:
so every file that a start needs is there.
"""

from __future__ import annotations

import base64
import filecmp
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

_MINORS = range(11, 15)
_PIXEL = base64.b64decode("R0lGODlhAQABAIAAAP///wAAACwAAAAAAQABAAACAkQBADs=")  # a GIF
_READY_WITHIN = 30.0  # seconds
_WRONG_SETTING = 78


class RefusedError(Exception):
    """It did something else than it should; the text says what."""


def pythons() -> Iterator[tuple[str, Path]]:
    """Yield the version and the path of each: of those on the PATH, and of pyenv's, one a minor."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    for minor in _MINORS:
        named = shutil.which(f"python3.{minor}")
        candidates = [named, "/usr/bin/python3", *sorted(pyenv.glob(f"3.{minor}.*/bin/python3"))]
        for candidate in candidates:
            version = _version(candidate) if candidate else ""
            if version.startswith(f"3.{minor}."):
                yield version, Path(candidate or "")
                break


def _version(python: str | Path) -> str:
    asked = [python, "-c", "import platform; print(platform.python_version())"]
    try:
        told = subprocess.run(asked, capture_output=True, text=True, check=False)  # noqa: S603 - found above
    except FileNotFoundError:
        return ""
    return told.stdout.strip()


def try_under(version: str, python: Path, pex: Path, folder: Path) -> None:
    """Try all of it under one Python.

    Raises:
      RefusedError: something is not as it should be.
    """
    environment = {**os.environ, "PEX_PYTHON": str(python), "PEX_ROOT": str(folder / "root")}
    told = _output(pex, environment, "--version")
    if f"(Python {version})" not in told:
        raise RefusedError(f"--version says {told!r}")
    _look_at_a_picture(pex, environment)
    config = folder / "wrong.toml"
    config.write_text('[homeserver]\nurl = "no address"\n', encoding="utf-8")
    command = [str(pex), "run", "--config", str(config)]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 - the program that was just built
    if ended.returncode != _WRONG_SETTING or "Traceback" in ended.stderr:
        raise RefusedError(
            f"a wrong configuration ends it with {ended.returncode}:\n{ended.stderr}"
        )
    _install(pex, environment, folder / "machine")
    _serve_as_agent(pex, environment, folder)


def _output(pex: Path, environment: Mapping[str, str], *arguments: str) -> str:
    done = subprocess.run(  # noqa: S603 - the program that was just built
        [pex, *arguments], stdout=subprocess.PIPE, text=True, env=environment, check=True
    )
    return done.stdout


def _look_at_a_picture(pex: Path, environment: Mapping[str, str]) -> None:
    module = {**environment, "PEX_MODULE": "lambda_matrix.workspace.imaging_process"}
    with tempfile.TemporaryFile() as file:
        file.write(_PIXEL)
        file.flush()
        told = subprocess.run(  # noqa: S603 - the program that was just built
            [pex, "image"], stdin=file, stdout=subprocess.PIPE, env=module, check=True
        ).stdout
    if not told.startswith(struct.pack("!II", 1, 1)):
        raise RefusedError(f"it cannot look into pictures: {told!r}")


def _install(pex: Path, environment: Mapping[str, str], root: Path) -> None:
    """Have it installed below a folder, with the units that travel in it, and removed again."""
    root.mkdir()
    _output(pex, environment, "install", "--root", str(root))
    installed = root / "usr/lib/lambda-matrix/lambda-matrix.pex"
    unit = root / "usr/lib/systemd/system/lambda-matrix.service"
    if not filecmp.cmp(pex, installed, shallow=False) or not unit.read_text(encoding="utf-8"):
        raise RefusedError("it does not install itself")
    _output(installed, environment, "uninstall", "--root", str(root), "--purge", "--yes")
    if left := [path for path in root.rglob("*") if not path.is_dir()]:
        raise RefusedError(f"it leaves {left} behind")


def _serve_as_agent(pex: Path, environment: Mapping[str, str], folder: Path) -> None:
    """Start the bundled agent as systemd does, connect, and end it."""
    token = folder / "token"
    token.write_text("token-for-this-alone", encoding="utf-8")
    token.chmod(0o600)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.settimeout(_READY_WITHIN)
        notify.bind(str(folder / "notify"))
        command = [str(pex), "agent", "--host", "127.0.0.1", "--port", str(port)]
        command += ["--state", str(folder / "agent"), "--token-file", str(token)]
        with subprocess.Popen(  # noqa: S603 - the program that was just built
            command, env={**environment, "NOTIFY_SOCKET": str(folder / "notify")}
        ) as agent:
            try:
                while b"READY=1" not in notify.recv(4096).split(b"\n"):
                    pass
                socket.create_connection(("127.0.0.1", port), timeout=_READY_WITHIN).close()
            finally:
                agent.send_signal(signal.SIGTERM)
        if agent.returncode:
            raise RefusedError(f"the agent ended with {agent.returncode}")


def main() -> None:
    """Try every Python, or exit with a sentence."""
    pex = Path(sys.argv[1]).resolve()
    found = list(pythons())
    if not found:
        sys.exit("No Python between 3.11 and 3.14 is here to try the PEX under.")
    for version, python in found:
        with tempfile.TemporaryDirectory() as folder:
            try:
                try_under(version, python, pex, Path(folder))
            except (RefusedError, TimeoutError, subprocess.CalledProcessError) as error:
                sys.exit(f"Under Python {version}: {error}")
        print(f"runs under Python {version}")


if __name__ == "__main__":
    main()
