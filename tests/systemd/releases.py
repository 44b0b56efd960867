"""The root file systems of bare Debian hosts, made by mmdebstrap and kept for the next run.

They come from the mirror that apt uses on this machine. What is in them is what an operator's
minimal installation has: systemd, Python, and the certificates that everybody trusts.
"""

from __future__ import annotations

import fcntl
import hashlib
import subprocess
from enum import Enum
from pathlib import Path

PACKAGES = ("systemd", "systemd-sysv", "dbus", "python3", "ca-certificates")
# What would wait for hardware or the network, or start in the middle of a test.
_MASKED = (
    "systemd-networkd.service",
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
    "dpkg-db-backup.timer",
    "e2scrub_all.timer",
    "fstrim.timer",
)
# A test reads what the journal has: nothing may be dropped.
_JOURNALD = "[Journal]\\nRateLimitIntervalSec=0\\n"
_OPTIONS = (
    "--variant=minbase",
    "--dpkgopt=path-exclude=/usr/share/doc/*",
    "--dpkgopt=path-exclude=/usr/share/locale/*",
    '--customize-hook=rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/*.bin',
    f'--customize-hook=systemctl --root="$1" --quiet mask {" ".join(_MASKED)}',
    '--customize-hook=mkdir -p "$1"/etc/systemd/journald.conf.d',
    f'--customize-hook=printf "{_JOURNALD}" > "$1"/etc/systemd/journald.conf.d/tests.conf',
)


class Release(Enum):
    """A Debian release that the service is promised to run on."""

    DEBIAN_12 = "bookworm"
    DEBIAN_13 = "trixie"


class NoMirrorError(Exception):
    """apt on this machine knows no mirror of Debian."""


def root_tarball(release: Release, cache: Path) -> Path:
    """Return the release's root file system as a tarball, made if it is missing (half a minute).

    Two processes that want the same one make it once.

    Raises:
      NoMirrorError: there is no mirror to make it from.
      CalledProcessError: mmdebstrap failed; it has said why.
    """
    recipe = "\n".join((release.value, *PACKAGES, *_OPTIONS))
    key = hashlib.sha256(recipe.encode()).hexdigest()[:12]
    tarball = cache / f"{release.value}-{key}.tar"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / f"{release.value}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not tarball.exists():
            unfinished = tarball.with_suffix(".unfinished.tar")
            include = f"--include={','.join(PACKAGES)}"
            made = [release.value, str(unfinished), mirror()]
            command = ["mmdebstrap", "--quiet", *_OPTIONS, include, *made]
            subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
            unfinished.rename(tarball)
    return tarball


def mirror() -> str:
    """The mirror of Debian that apt uses here.

    Raises:
      NoMirrorError: its lists name none.
    """
    fields = "--format=$(REPO_URI)"
    wanted = ("Created-By: Packages", "Origin: Debian", "Label: Debian")
    listed = subprocess.run(
        ["apt-get", "indextargets", fields, *wanted], check=True, capture_output=True, text=True
    )
    for line in listed.stdout.split():
        return line
    raise NoMirrorError("apt's lists name no mirror of Debian (apt-get update fetches them)")
