"""What the process uses, as the system says."""

from __future__ import annotations

import os
from pathlib import Path

from lambda_matrix.service.monitoring.process import ProcessUse, process_families, process_use


def test_what_is_used_is_as_the_system_says() -> None:
    use = process_use()
    status = Path("/proc/self/status").read_text(encoding="ascii")
    facts = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert abs(use.resident - int(facts["VmRSS"].split()[0]) * 1024) < 8 * 2**20
    assert abs(use.virtual - int(facts["VmSize"].split()[0]) * 1024) < 8 * 2**20
    assert 0 < use.cpu <= os.times().user + os.times().system + 0.1


def test_descriptors_are_counted() -> None:
    before = process_use()
    with open(os.devnull, "rb"):  # noqa: PTH123 - a descriptor is what is wanted
        now = process_use()
    assert now.descriptors == before.descriptors + 1
    assert now.descriptors < now.most_descriptors


def test_the_names_are_those_of_prometheus_clients() -> None:
    use = ProcessUse(resident=1, virtual=2, cpu=3.5, descriptors=4, most_descriptors=5)
    samples = [sample for family in process_families(use, 6.0) for sample in family.samples]
    assert {sample.name: sample.value for sample in samples} == {
        "process_resident_memory_bytes": 1,
        "process_virtual_memory_bytes": 2,
        "process_cpu_seconds_total": 3.5,
        "process_open_fds": 4,
        "process_max_fds": 5,
        "process_start_time_seconds": 6,
    }
