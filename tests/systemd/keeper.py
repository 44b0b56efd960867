"""Keeps one throw-away host until its standard input ends, however whoever started it ended.

    unshare --mount --propagation private -- python -m tests.systemd.keeper RELEASE FOLDER

Prints one line of JSON when the host is up (`Machine` has the fields). The host is a root file
system of its own with a real systemd as PID 1, in a container of systemd-nspawn: own processes, own
users' sessions, own journal, and a network of two addresses: its own, and that of this machine,
where tests put a homeserver. There is no route to anywhere else.

In the mount namespace that `unshare` makes, /sys/fs/cgroup is the pure second version, which is
what systemd wants, whatever this machine has. Each host's folder under FOLDER is locked as long as
its keeper lives; a keeper that was killed leaves a folder without a lock and a cgroup of the same
name, which the next keeper removes.
"""

from __future__ import annotations

import fcntl
import ipaddress
import json
import os
import secrets
import select
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from attrs import frozen

from tests.systemd.releases import Release, root_tarball

BOOT_WITHIN = 60.0
"""Seconds. It takes half of one; CI's first read of the disk is slower."""
END_WITHIN = 10.0
"""Seconds that killed processes may take to be gone."""
PLENTY = 6 * 2**30
"""Bytes of memory with which hosts are kept in it: each takes less than one GiB."""
CGROUPS = Path("/sys/fs/cgroup")
BENCHMARK_NETWORK = ipaddress.ip_network("198.18.0.0/15")
"""Addresses that nobody has: they are set aside for measuring networks (RFC 2544)."""
_LINK = 4
"""Addresses of a network for two, /30."""
# With these the host's systemd can enforce IPAddressDeny= and device policies, as on a machine.
_CAPABILITIES = ("--capability=CAP_BPF,CAP_PERFMON,CAP_NET_ADMIN", "--system-call-filter=bpf")
_NSPAWN = (
    "systemd-nspawn",
    "--quiet",
    "--boot",
    "--register=no",
    "--keep-unit",
    "--console=pipe",
    "--notify-ready=yes",
    "--network-veth",
    "--link-journal=no",
    "--resolv-conf=off",
    "--timezone=off",
    *_CAPABILITIES,
)


class BootError(Exception):
    """The host did not come up; the text has what it said."""


@frozen
class Booted:
    """A host that is up: its PID 1 as this machine counts, and the two addresses of its network."""

    leader: int
    address: str
    gateway: str


def keep(release: Release, folder: Path) -> None:
    """Boot a host, say so, and remove it when standard input ends."""
    machines = folder / "machines"
    machines.mkdir(parents=True, exist_ok=True)
    _use_second_cgroups()
    _remove_leftovers(machines)
    tarball = root_tarball(release, folder)
    name = f"lm-{release.value}-{secrets.token_hex(3)}"
    with _folder(machines / name) as directory:
        root = directory / "root"
        _unpack(tarball, root, name)
        try:
            booted = _boot(directory, name)
            told = {
                "name": name,
                "leader": booted.leader,
                "address": booted.address,
                "gateway": booted.gateway,
            }
            print(json.dumps(told), flush=True)  # noqa: T201  whoever started us reads it
            sys.stdin.buffer.read()
        finally:
            _end(name)


@contextmanager
def _folder(directory: Path) -> Iterator[Path]:
    """A folder of one host: locked while it is in use, and gone afterwards."""
    directory.mkdir()
    with (directory / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            yield directory
        finally:
            _remove_folder(directory)


def _remove_leftovers(machines: Path) -> None:
    for directory in machines.iterdir():
        with suppress(OSError), (directory / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _end(directory.name)
            _remove_folder(directory)


def _remove_folder(directory: Path) -> None:
    """By rm, which leaves alone what is mounted in there."""
    subprocess.run(["umount", "--lazy", "--quiet", str(directory / "root")], check=False)
    subprocess.run(["rm", "-rf", "--one-file-system", str(directory)], check=True)


def _use_second_cgroups() -> None:
    kind = subprocess.run(
        ["stat", "-f", "-c", "%T", str(CGROUPS)], check=True, capture_output=True, text=True
    )
    if kind.stdout.strip() != "cgroup2fs":
        subprocess.run(["umount", "--lazy", str(CGROUPS)], check=True)
        subprocess.run(["mount", "-t", "cgroup2", "cgroup2", str(CGROUPS)], check=True)


def _unpack(tarball: Path, root: Path, name: str) -> None:
    root.mkdir()
    if _memory_available() > PLENTY:
        # A host on a disk waits for the disk; and this goes with our mount namespace.
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", name, str(root)], check=True)
    unpack = ["tar", "-C", str(root), "--numeric-owner", "--xattrs", "--xattrs-include=*"]
    subprocess.run([*unpack, "-xf", str(tarball)], check=True)
    (root / "etc/hostname").write_text(f"{name}\n")
    (root / "etc/hosts").write_text(f"127.0.0.1 localhost\n::1 localhost\n127.0.1.1 {name}\n")
    (root / "etc/machine-id").write_text("")


def _memory_available() -> int:
    """Bytes that programs could have now (proc_meminfo(5))."""
    facts = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    told = dict(line.split(":", 1) for line in facts)
    return int(told["MemAvailable"].split()[0]) * 1024


def _boot(directory: Path, name: str) -> Booted:
    cgroup = CGROUPS / name
    cgroup.mkdir()
    console = directory / "console.log"
    command = [*_NSPAWN, f"--directory={directory / 'root'}", f"--machine={name}"]
    into_cgroup = f'echo $$ > "{cgroup}/cgroup.procs" && exec "$@"'
    with console.open("wb") as log, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notified:
        address = f"lambda-matrix-tests/{name}"
        notified.bind(f"\0{address}")
        notified.settimeout(BOOT_WITHIN)
        subprocess.Popen(
            ["sh", "-c", into_cgroup, "sh", *command],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, "NOTIFY_SOCKET": f"@{address}"},
        )
        try:
            leader = _wait_ready(notified)
        except TimeoutError:
            said = console.read_text(errors="replace")
            raise BootError(f"{name} did not come up:\n{said}") from None
    own, gateway = _link(leader)
    return Booted(leader, own, gateway)


def _wait_ready(notified: socket.socket) -> int:
    """Wait for READY=1 of the host's systemd; returns its process, of which nspawn tells before."""
    leader: int | None = None
    while True:
        for line in notified.recv(4096).decode().splitlines():
            key, _, value = line.partition("=")
            if key == "X_NSPAWN_LEADER_PID":
                leader = int(value)
            if key == "READY" and leader is not None:
                return leader


def _link(leader: int) -> tuple[str, str]:
    """Give both ends of the host's cable an address; returns its own, and this machine's."""
    inside = ("nsenter", "--target", str(leader), "--net", "--")
    index = _links(*inside)["host0"]["link_index"]
    assert isinstance(index, int)
    (near_end,) = (name for name, link in _links().items() if link["ifindex"] == index)
    # The index of an interface is its own on this machine, so no two hosts share a network.
    first = (index * _LINK) % BENCHMARK_NETWORK.num_addresses
    gateway, own = BENCHMARK_NETWORK[first + 1], BENCHMARK_NETWORK[first + 2]
    for where, link, address in (((), near_end, gateway), (inside, "host0", own)):
        ip = [*where, "ip"]
        subprocess.run([*ip, "address", "add", f"{address}/30", "dev", link], check=True)
        subprocess.run([*ip, "link", "set", link, "up"], check=True)
    return str(own), str(gateway)


def _links(*inside: str) -> dict[str, dict[str, object]]:
    """The network interfaces here (or where `inside` leads), by name, as `ip` tells them."""
    command = [*inside, "ip", "-json", "link", "show"]
    answer = subprocess.run(command, check=True, capture_output=True)
    return {link["ifname"]: link for link in json.loads(answer.stdout)}


def _end(name: str) -> None:
    """End all of a host's processes, at once: nothing of it is kept."""
    cgroup = CGROUPS / name
    if not cgroup.exists():
        return
    (cgroup / "cgroup.kill").write_text("1")
    _wait_empty(cgroup)
    for directory, _, _ in os.walk(cgroup, topdown=False):
        Path(directory).rmdir()


def _wait_empty(cgroup: Path) -> None:
    """Wait until the last process of a cgroup is gone (cgroups(7), "cgroup.events")."""
    with (cgroup / "cgroup.events").open() as events:
        changed = select.poll()
        changed.register(events, select.POLLPRI)
        while "populated 0" not in events.read():
            if not changed.poll(END_WITHIN * 1000):
                raise TimeoutError(f"{cgroup.name} has processes that do not end")
            events.seek(0)


if __name__ == "__main__":
    keep(Release(sys.argv[1]), Path(sys.argv[2]))
