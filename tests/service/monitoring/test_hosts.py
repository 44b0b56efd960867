"""Which Host a request may name."""

from __future__ import annotations

import socket

import pytest

from lambda_matrix.service.monitoring.hosts import hosts_of


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1", "::1", "192.0.2.7", "2001:db8::1", "watch.example.org"]
)
def test_names_of_this_machine_and_addresses_are_answered(host: str) -> None:
    assert hosts_of("Watch.example.org").allow(host)


def test_the_machines_own_name_is_answered() -> None:
    assert hosts_of("127.0.0.1").allow(socket.gethostname().lower())


@pytest.mark.parametrize("host", [None, "", "evil.example", "127.0.0.1.evil.example", "localhost."])
def test_names_of_strangers_are_not(host: str | None) -> None:
    assert not hosts_of("127.0.0.1").allow(host)
