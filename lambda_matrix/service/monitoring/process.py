"""The process itself, under the names that Prometheus clients have for it.

prometheus-client's own collector reads /proc/stat, which the unit hides (ProcSubset=pid), and then
tells nothing at all. What it wants there, the time of the boot, is not needed here.
"""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator

from attrs import frozen
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

_PAGE = os.sysconf("SC_PAGE_SIZE")


@frozen(kw_only=True)
class ProcessUse:
    """What the process uses: bytes of memory, seconds of CPU, descriptors."""

    resident: int
    virtual: int
    cpu: float
    descriptors: int
    most_descriptors: int


def process_use() -> ProcessUse:
    """Look once, at /proc/self (proc(5)) and getrusage(2)."""
    with open("/proc/self/statm", "rb") as file:  # noqa: PTH123 - a file of the kernel's
        virtual, resident, *_ = map(int, file.read().split())
    used = resource.getrusage(resource.RUSAGE_SELF)
    return ProcessUse(
        resident=resident * _PAGE,
        virtual=virtual * _PAGE,
        cpu=used.ru_utime + used.ru_stime,
        descriptors=len(os.listdir("/proc/self/fd")) - 1,  # noqa: PTH208 - likewise; one is its own
        most_descriptors=resource.getrlimit(resource.RLIMIT_NOFILE)[0],
    )


def process_families(use: ProcessUse, started_at: float) -> Iterator[Metric]:
    """Return the metrics; `started_at` is Unix time."""
    yield _gauge("resident_memory_bytes", "Resident memory size in bytes.", use.resident)
    yield _gauge("virtual_memory_bytes", "Virtual memory size in bytes.", use.virtual)
    yield CounterMetricFamily(
        "process_cpu_seconds", "Total user and system CPU time spent in seconds.", value=use.cpu
    )
    yield _gauge("open_fds", "Number of open file descriptors.", use.descriptors)
    yield _gauge("max_fds", "Maximum number of open file descriptors.", use.most_descriptors)
    yield _gauge(
        "start_time_seconds",
        "Start time of the process since unix epoch in seconds.",
        started_at,
    )


def _gauge(name: str, told: str, value: float) -> Metric:
    return GaugeMetricFamily(f"process_{name}", told, value=value)
