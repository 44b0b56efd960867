"""What this machine must have for throw-away hosts; what it lacks is said."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.systemd.machine import ROOT

PEX = ROOT / "dist/lambda-matrix.pex"
_TOOLS = {
    "systemd-nspawn": "systemd-container",
    "mmdebstrap": "mmdebstrap",
    "apt-get": "apt",
    "ip": "iproute2",
    "nsenter": "util-linux",
    "unshare": "util-linux",
}


def missing() -> str | None:
    """Why there can be no hosts here, in one sentence; None if there can."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "throw-away hosts need root on Linux"
    for tool, package in _TOOLS.items():
        if shutil.which(tool) is None:
            return f"throw-away hosts need {tool} (Debian: apt install {package})"
    if "cgroup2" not in Path("/proc/filesystems").read_text(encoding="ascii"):
        return "throw-away hosts need a kernel with cgroups of the second version"
    private = ["unshare", "--mount", "--net", "--propagation", "private", "--", "true"]
    if subprocess.run(private, check=False, capture_output=True).returncode != 0:
        return "throw-away hosts need the right to make namespaces (a container without it?)"
    if not PEX.exists():
        return f"no {PEX.relative_to(ROOT)} to install (make pex)"
    return None
