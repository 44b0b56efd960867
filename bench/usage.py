"""What processes have used, from /proc: CPU seconds, peak memory, and what everybody else took."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from time import monotonic

import psutil
from attrs import frozen


@frozen
class Sample:
    """CPU seconds up to a moment: of named processes, of this one, and of the whole machine."""

    at: float
    processes: Mapping[str, float]
    harness: float
    machine: float


@frozen
class Used:
    """What was used between two samples; `foreign` is in cores, taken by programs not of ours."""

    seconds: float
    processes: Mapping[str, float]
    harness: float
    foreign: float


def sample(processes: Mapping[str, int]) -> Sample:
    """Read the clocks of the processes (name -> pid), of this one, and of the machine."""
    machine = psutil.cpu_times()
    return Sample(
        monotonic(),
        {name: cpu_of(pid) for name, pid in processes.items()},
        cpu_of(os.getpid()),
        sum(machine) - machine.idle - machine.iowait - machine.guest - machine.guest_nice,
    )


def cpu_of(pid: int) -> float:
    """The CPU seconds of a process since it began."""
    times = psutil.Process(pid).cpu_times()
    return times.user + times.system


def used(before: Sample, after: Sample) -> Used:
    """The difference of two samples of the same processes."""
    seconds = after.at - before.at
    each = {name: after.processes[name] - before.processes[name] for name in after.processes}
    harness = after.harness - before.harness
    foreign = after.machine - before.machine - sum(each.values()) - harness
    return Used(seconds, each, harness, max(0.0, foreign / seconds))


def add(one: Used, other: Used) -> Used:
    """Two windows as one."""
    seconds = one.seconds + other.seconds
    return Used(
        seconds,
        {name: one.processes[name] + other.processes[name] for name in one.processes},
        one.harness + other.harness,
        (one.foreign * one.seconds + other.foreign * other.seconds) / seconds,
    )


def peak_memory(pid: int) -> float:
    """The most memory that the process ever held (VmHWM), in MB (10^6 bytes)."""
    return _memory(pid, "VmHWM:")


def resident_memory(pid: int) -> float:
    """The memory that the process holds (VmRSS), in MB (10^6 bytes)."""
    return _memory(pid, "VmRSS:")


def _memory(pid: int, key: str) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(key):
            return int(line.split()[1]) * 1024 / 1e6
    raise ValueError(f"process {pid} is gone")
