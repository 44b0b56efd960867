"""A fake homeserver, and a client of it whose every request is held against the specification."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
from attrs import define, field
from trio.testing import MockClock

from lambda_matrix.client_server_api.client import Client, open_client
from lambda_matrix.client_server_api.exchange import Exchange
from lambda_matrix.client_server_api.session import Session
from lambda_matrix.ids import AccessToken, DeviceId, UserId
from tests.client_server_api.fake_homeserver import FakeHomeserver, open_fake_homeserver
from tests.lab.openapi import load_validator

ME = UserId("@bot:example.org")
SESSION = Session(ME, DeviceId("LAMBDA_MATRIX"), AccessToken("secret-token"))


@define
class SpecificationCheck:
    """An observer of a transport: what it sees must be as the specification says."""

    exchanges: list[Exchange] = field(factory=list)
    findings: list[str] = field(factory=list)

    def __call__(self, exchange: Exchange) -> None:
        self.exchanges.append(exchange)
        validator = load_validator()
        if validator is not None:
            self.findings += validator.check_request(
                exchange.method, exchange.url, exchange.request_headers, exchange.request_body
            )


@pytest.fixture
def observed() -> Iterator[SpecificationCheck]:
    check = SpecificationCheck()
    yield check
    assert check.findings == []


@pytest.fixture
async def homeserver() -> AsyncIterator[FakeHomeserver]:
    async with open_fake_homeserver() as fake:
        yield fake


@pytest.fixture
async def client(homeserver: FakeHomeserver, observed: SpecificationCheck) -> AsyncIterator[Client]:
    async with open_client(homeserver.url, SESSION, observe=observed) as opened:
        yield opened


@pytest.fixture
def jumping_clock() -> MockClock:
    """Time that passes only while everybody waits: 10 ms of idling are loopback's slack."""
    return MockClock(autojump_threshold=0.01)
