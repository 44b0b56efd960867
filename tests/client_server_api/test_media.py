from __future__ import annotations

import random
import ssl
from pathlib import Path

import pytest
import trio
import trustme
from attrs import define, evolve, field
from trio.testing import MockClock

from lambda_matrix.client_server_api.client import Client, open_client
from lambda_matrix.client_server_api.errors import (
    FileTooLarge,
    HomeserverUnreachable,
    MatrixError,
    TooLarge,
    UnreadableAnswer,
    decide_retry,
)
from lambda_matrix.client_server_api.media import FileChanged, MediaInfo
from tests.client_server_api.conftest import SESSION
from tests.client_server_api.fake_homeserver import (
    LOOPBACK,
    Answer,
    Cut,
    FakeHomeserver,
    html,
    open_fake_homeserver,
    refusal,
)

MXC = "mxc://example.org/abc"
FILE = bytes(range(256)) * 4_000
PNG = {"Content-Type": "image/png", "Content-Disposition": "inline"}
VERSIONS = "GET /_matrix/client/versions$"
UNKNOWN_ENDPOINT = refusal(404, "M_UNRECOGNIZED")
URI: dict[str, object] = {"content_uri": MXC}


@define
class Memory:
    """A file, for a test alone: what was written, and what is there to be read."""

    content: bytearray = field(factory=bytearray)
    writes: int = 0
    half: trio.Event = field(factory=trio.Event)

    async def write(self, piece: bytes) -> None:
        await trio.lowlevel.checkpoint()
        self.content += piece
        self.writes += 1
        if len(self.content) >= len(FILE) // 2:
            self.half.set()

    async def read(self, most: int) -> bytes:
        await trio.lowlevel.checkpoint()
        piece = bytes(self.content[:most])
        del self.content[:most]
        return piece


async def failure(client: Client, to: Memory | None = None, most: int = 10**7) -> MatrixError:
    with pytest.raises(MatrixError) as caught:
        await client.media.download(MXC, to or Memory(), max_bytes=most)
    return caught.value


async def test_a_file_comes_in_pieces_with_the_token(
    homeserver: FakeHomeserver, client: Client, tmp_path: Path
) -> None:
    homeserver.on("GET .*/client/v1/media/download/example.org/abc$", Answer(FILE, headers=PNG))

    async with await trio.open_file(tmp_path / "file", "wb") as to:
        info = await client.media.download(MXC, to, max_bytes=len(FILE))

    assert info == MediaInfo("image/png", len(FILE))
    assert (tmp_path / "file").read_bytes() == FILE
    (asked,) = homeserver.asked
    assert asked.headers["authorization"] == "Bearer secret-token"
    assert asked.headers["accept-encoding"] == "identity"


async def test_the_pieces_are_small(homeserver: FakeHomeserver, client: Client) -> None:
    homeserver.on("download", Answer(FILE, headers=PNG))
    to = Memory()

    await client.media.download(MXC, to, max_bytes=len(FILE))

    assert to.content == FILE
    assert to.writes > 10


async def test_a_homeserver_of_before_authenticated_media(
    homeserver: FakeHomeserver, client: Client
) -> None:
    homeserver.on("client/v1/media", UNKNOWN_ENDPOINT)
    homeserver.on("GET .*/media/v3/download/example.org/abc$", Answer(b"x", headers=PNG))
    homeserver.on("GET .*/media/v3/config$", {"m.upload.size": 5})
    to = Memory()

    await client.media.download(MXC, to, max_bytes=1)

    assert to.content == b"x"
    assert "authorization" not in homeserver.asked[-1].headers
    assert await client.media.upload_limit() == 5


@pytest.mark.parametrize(("body", "limit"), [({"m.upload.size": 7}, 7), ({}, None)])
async def test_the_limit_of_uploads(
    homeserver: FakeHomeserver, client: Client, body: dict[str, object], limit: int | None
) -> None:
    homeserver.on("GET .*/client/v1/media/config$", body)
    assert await client.media.upload_limit() == limit


async def test_other_refusals_are_no_reason_to_ask_the_old_endpoint(
    homeserver: FakeHomeserver, client: Client
) -> None:
    homeserver.on("client/v1/media", refusal(404, "M_NOT_FOUND"))

    assert (await failure(client)).errcode == "M_NOT_FOUND"
    with pytest.raises(MatrixError):
        await client.media.upload_limit()

    assert len(homeserver.asked) == 2


@pytest.mark.parametrize("length", [-1, None])
async def test_a_file_over_the_limit(
    homeserver: FakeHomeserver, client: Client, length: int | None
) -> None:
    homeserver.on("download", Answer(FILE, headers=PNG, length=length))
    to = Memory()

    error = await failure(client, to, len(FILE) - 1)

    assert isinstance(error, FileTooLarge)
    assert decide_retry(error) == TooLarge()
    assert len(to.content) < len(FILE)
    if length is not None:
        assert not to.content, "what is announced as too large is not begun"
    homeserver.on("joined_rooms", {"joined_rooms": []})
    assert await client.joined_rooms() == set(), "the connections are good as before"


async def test_a_file_that_is_too_large_for_the_homeserver(
    homeserver: FakeHomeserver, client: Client
) -> None:
    homeserver.on("download", refusal(502, "M_TOO_LARGE"))
    assert isinstance(await failure(client), FileTooLarge)


@pytest.mark.parametrize(
    "answer",
    [
        Answer(FILE, headers=PNG, cut=Cut.WITHIN_ANSWER),
        Answer(cut=Cut.BEFORE_ANSWER),
    ],
)
async def test_half_a_file_is_no_file(
    homeserver: FakeHomeserver, client: Client, answer: Answer
) -> None:
    homeserver.on("download", answer)

    assert isinstance(await failure(client), HomeserverUnreachable)

    # What was begun is not asked for again: the first half would be there twice.
    assert len(homeserver.asked) == (1 if answer.cut is Cut.WITHIN_ANSWER else 2)


async def test_a_file_in_an_encoding_is_not_unpacked(
    homeserver: FakeHomeserver, client: Client
) -> None:
    homeserver.on("download", Answer(FILE, headers={**PNG, "Content-Encoding": "gzip"}))
    assert isinstance(await failure(client), UnreadableAnswer)


async def test_a_page_of_a_proxy_is_no_file(homeserver: FakeHomeserver, client: Client) -> None:
    homeserver.on("download", evolve(html(502), is_valid=False))
    to = Memory()

    assert (await failure(client, to)).status == 502
    assert not to.content


@pytest.mark.parametrize("status", [307, 308])
async def test_a_redirect_is_followed_without_the_token(
    homeserver: FakeHomeserver, client: Client, status: int
) -> None:
    async with open_fake_homeserver() as elsewhere:
        place = f"{elsewhere.url}/_matrix/client/versions"
        elsewhere.on(VERSIONS, Answer(FILE, headers=PNG, is_valid=False))
        homeserver.on("download", Answer(b"", status, {"Location": place}))
        homeserver.on(VERSIONS, Answer(b"", status, {"Location": place}, is_valid=False))
        to = Memory()
        async with open_client(homeserver.url, SESSION) as unobserved:
            await unobserved.media.download(MXC, to, max_bytes=len(FILE))

            # A relative place is one at the same homeserver.
            homeserver.on("download", Answer(b"", status, {"Location": "/_matrix/client/versions"}))
            await unobserved.media.download(MXC, Memory(), max_bytes=len(FILE))

    assert to.content == FILE
    for asked in (elsewhere.asked[0], homeserver.asked[-1]):
        assert "authorization" not in asked.headers


async def test_redirects_end(homeserver: FakeHomeserver) -> None:
    homeserver.on("download", Answer(b"", 307, {"Location": "/_matrix/client/versions"}))
    homeserver.on(VERSIONS, Answer(b"", 307, {"Location": "#again"}, is_valid=False))

    async with open_client(homeserver.url, SESSION) as unobserved:
        error = await failure(unobserved)

    assert error.status == 307
    assert len(homeserver.asked) == 4


async def test_a_redirect_away_from_tls_is_not_followed(tmp_path: Path) -> None:
    authority = trustme.CA()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(LOOPBACK).configure_cert(server)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    async with (
        open_fake_homeserver() as elsewhere,
        open_fake_homeserver(server) as homeserver,
        open_client(homeserver.url, SESSION, ca_file=tmp_path / "ca.pem") as client,
    ):
        place = f"{elsewhere.url}/_matrix/client/versions"
        homeserver.on("download", Answer(b"", 307, {"Location": place}))
        assert isinstance(await failure(client), UnreadableAnswer)

    assert not elsewhere.asked


@pytest.mark.parametrize("place", ["file:///etc/passwd", "http://[", "gopher://h/x", "http://h:x/"])
async def test_a_redirect_to_no_place_at_all(homeserver: FakeHomeserver, place: str) -> None:
    homeserver.on("download", Answer(b"", 307, {"Location": place}))
    async with open_client(homeserver.url, SESSION) as client:
        await failure(client)


async def test_an_address_that_is_none_is_not_asked_for(
    homeserver: FakeHomeserver, client: Client
) -> None:
    with pytest.raises(ValueError, match="no mxc:// address"):
        await client.media.download("mxc://example.org/../x", Memory(), max_bytes=1)
    assert not homeserver.asked


async def test_a_sink_that_fails_ends_the_transfer(
    homeserver: FakeHomeserver, client: Client
) -> None:
    class Full(Memory):
        async def write(self, piece: bytes) -> None:
            await trio.lowlevel.checkpoint()
            raise OSError(28, f"no space for {len(piece)} bytes")

    homeserver.on("download", Answer(FILE, headers=PNG))
    with pytest.raises(OSError, match="no space"):
        await client.media.download(MXC, Full(), max_bytes=len(FILE))


async def test_a_cancelled_caller_ends_the_transfer(
    homeserver: FakeHomeserver, client: Client
) -> None:
    """All the connections are used by transfers that stand still; then all of them are free."""
    homeserver.on("download", Answer(FILE, headers=PNG, gate_within=trio.Event()))
    to = [Memory() for _ in range(4)]
    async with trio.open_nursery() as nursery:
        for one in to:
            nursery.start_soon(lambda one: client.media.download(MXC, one, max_bytes=10**7), one)
        for one in to:
            await one.half.wait()
        nursery.cancel_scope.cancel()
    written = [len(one.content) for one in to]
    homeserver.on("download", Answer(b"x", headers=PNG))

    await client.media.download(MXC, Memory(), max_bytes=1)

    assert [len(one.content) for one in to] == written, "nobody writes for a caller who has gone"


async def test_silence_within_a_file_is_not_waited_out(
    homeserver: FakeHomeserver, client: Client, jumping_clock: MockClock
) -> None:
    homeserver.on("download", Answer(FILE, headers=PNG, gate_within=trio.Event()))

    assert isinstance(await failure(client), HomeserverUnreachable)

    assert jumping_clock.current_time() == pytest.approx(120, abs=5)


@pytest.mark.parametrize("is_tls", [False, True])
async def test_churn_leaves_every_connection_usable(tmp_path: Path, *, is_tls: bool) -> None:
    """12 tasks on 4 connections, cut off at any moment of up- and downloads; then all goes well.

    With TLS most are cut off while they connect.
    """
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(LOOPBACK).configure_cert(tls)
    async with (
        open_fake_homeserver(tls if is_tls else None) as homeserver,
        open_client(homeserver.url, SESSION, ca_file=tmp_path / "ca.pem") as client,
    ):
        await churn(homeserver, client)


async def churn(homeserver: FakeHomeserver, client: Client) -> None:
    chance = random.Random(21)  # noqa: S311 - the same churn in every run
    homeserver.on("download", Answer(FILE[:300_000], headers=PNG))
    homeserver.on("media/config", {})
    homeserver.on("upload", URI)
    cancelled = 0

    async def transfers() -> None:
        nonlocal cancelled
        for _ in range(15):
            with trio.move_on_after(chance.random() * 0.03) as scope:
                if chance.random() < 0.5:
                    await client.media.download(MXC, Memory(), max_bytes=10**6)
                else:
                    source = Memory(bytearray(FILE[:300_000]))
                    await client.media.upload(source, size=300_000, content_type="image/png")
            cancelled += scope.cancelled_caught

    async with trio.open_nursery() as nursery:
        for _ in range(12):
            nursery.start_soon(transfers)
    with trio.fail_after(20):
        for _ in range(8):
            await client.media.download(MXC, Memory(), max_bytes=10**6)

    assert cancelled > 50


async def test_a_file_goes_out_in_pieces(
    homeserver: FakeHomeserver, client: Client, tmp_path: Path
) -> None:
    homeserver.on("media/config", {"m.upload.size": len(FILE)})
    homeserver.on("POST .*/media/v3/upload", URI)
    (tmp_path / "file").write_bytes(FILE)

    async with await trio.open_file(tmp_path / "file", "rb") as source:
        uri = await client.media.upload(
            source, size=len(FILE), content_type="image/png", filename="кот & пёс.png"
        )
    await client.media.upload(Memory(), size=0, content_type="text/plain")

    assert uri == MXC
    first, empty = homeserver.of("upload")
    assert first.body == FILE
    assert first.headers["content-type"] == "image/png"
    assert first.headers["content-length"] == str(len(FILE))
    assert first.target.endswith(
        "upload?filename=%D0%BA%D0%BE%D1%82%20%26%20%D0%BF%D1%91%D1%81.png"
    )
    assert empty.target.endswith("upload")
    assert not empty.body


@pytest.mark.parametrize(
    "answer",
    [
        refusal(413, "M_TOO_LARGE"),
        Answer(b"<html>Too large</html>", 413, is_valid=False),
        Answer({"errcode": "M_TOO_LARGE", "error": "no"}, 413, early=True),
    ],
)
async def test_a_file_that_the_homeserver_does_not_take(
    homeserver: FakeHomeserver, client: Client, answer: Answer
) -> None:
    homeserver.on("media/config", {})
    homeserver.on("upload", answer)
    source = Memory(bytearray(FILE * 20))

    with pytest.raises(FileTooLarge):
        await client.media.upload(source, size=len(FILE) * 20, content_type="image/png")


async def test_a_file_is_not_read_for_a_homeserver_that_has_gone(
    homeserver: FakeHomeserver, client: Client
) -> None:
    homeserver.on("media/config", {})
    homeserver.on("upload", Answer(cut=Cut.BEFORE_ANSWER, early=True))
    source = Memory(bytearray(FILE * 20))

    with pytest.raises(HomeserverUnreachable):
        await client.media.upload(source, size=len(FILE) * 20, content_type="image/png")

    assert source.content


async def test_an_upload_that_is_refused(homeserver: FakeHomeserver, client: Client) -> None:
    homeserver.on("media/config", {})
    homeserver.on(
        "upload", refusal(403, "M_FORBIDDEN"), Answer({"content_uri": "x"}, is_valid=False)
    )

    for expected in (MatrixError, UnreadableAnswer):
        with pytest.raises(expected):
            await client.media.upload(Memory(bytearray(b"x")), size=1, content_type="image/png")


@pytest.mark.parametrize("size", [len(FILE) - 1, len(FILE) + 1])
async def test_a_file_that_changes_meanwhile(
    homeserver: FakeHomeserver, client: Client, size: int
) -> None:
    homeserver.on("media/config", {})
    homeserver.on("upload", URI)

    with pytest.raises(FileChanged):
        await client.media.upload(Memory(bytearray(FILE)), size=size, content_type="image/png")

    assert await client.media.upload(Memory(), size=0, content_type="image/png") == MXC


async def test_a_file_over_the_limit_of_the_homeserver_is_not_sent(
    homeserver: FakeHomeserver, client: Client
) -> None:
    homeserver.on("media/config", {"m.upload.size": 5}, {"m.upload.size": 7})
    homeserver.on("upload", URI)
    for size in (5, 4, 7):  # it may have been raised meanwhile
        await client.media.upload(Memory(bytearray(size)), size=size, content_type="text/plain")

    with pytest.raises(FileTooLarge, match="8 bytes are over the homeserver's limit of 7"):
        await client.media.upload(Memory(bytearray(8)), size=8, content_type="text/plain")

    assert len(homeserver.of("config")) == 3
    assert len(homeserver.of("upload")) == 3
