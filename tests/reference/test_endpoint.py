"""The endpoint's HTTP where a run is cut at any moment: nothing is left behind, nothing is lost."""

import gc
import ssl
from functools import partial
from random import Random

import pytest
import trio
import trustme
from attrs import evolve

from lambda_matrix.reference.endpoint import Endpoint, open_completion, transcribe
from lambda_matrix.reference.model_errors import ModelError, ModelFault
from tests.reference.fake_endpoint import FakeEndpoint, Reply, chunk, open_fake, say, transcript

BODY = {
    "model": "fake-1",
    "messages": [{"role": "user", "content": "Hi"}],
    "stream": True,
}


async def test_requests_that_are_cut_at_any_moment_spoil_no_others() -> None:
    drawn = Random(3)  # noqa: S311 - moments, no secrets

    async def cut(endpoint: Endpoint, after: float) -> None:
        with trio.move_on_after(after):
            async with open_completion(endpoint, BODY) as chunks:
                while await chunks.receive() is not None:
                    pass

    async with open_fake() as hanging, open_fake() as fake:
        hanging.script(*[Reply([chunk({"content": "Hal"})], ending="hang")] * 60)
        fake.script(*[say("Whole")] * 12)
        async with trio.open_nursery() as nursery:
            for _ in range(60):
                nursery.start_soon(cut, Endpoint(hanging.url), drawn.uniform(0, 0.05))
        for _ in range(12):
            async with open_completion(Endpoint(fake.url), BODY) as chunks:
                count = 0
                while await chunks.receive() is not None:
                    count += 1
            assert count == 4
    gc.collect()  # a generator that was left open would warn here, and warnings are errors


async def test_a_stream_may_be_left_before_its_end() -> None:
    async with open_fake() as fake:
        fake.script(say("One", "Two"))
        async with open_completion(Endpoint(fake.url), BODY) as chunks:
            assert await chunks.receive() is not None
    gc.collect()


async def test_a_transcription_that_stops_is_read_as_far_as_it_came() -> None:
    async with open_fake() as fake:
        fake.script(
            Reply([b"{"], content_type="application/json", ending="hang"),
            Reply([b"{"], content_type="application/json", ending="cut"),
            Reply([b" " * 2_000_000], content_type="application/json"),
            transcript("Yes"),
        )
        hear = partial(transcribe, Endpoint(fake.url, idle_timeout=0.05), "ears", "a.ogg", b"x")
        for fault in (ModelFault.GARBLED, ModelFault.CUT, ModelFault.GARBLED):
            with pytest.raises(ModelError) as caught:
                await hear()
            assert caught.value.fault is fault
        assert await hear() == "Yes"


async def test_a_server_that_takes_no_request_is_given_up() -> None:
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port = listener.socket.getsockname()[1]
    endpoint = Endpoint(f"http://127.0.0.1:{port}/v1", connect_timeout=0.1, idle_timeout=0.1)
    async with listener, trio.open_nursery() as nursery:
        with pytest.raises(ModelError) as caught:
            async with open_completion(endpoint, BODY):
                pass
        assert caught.value.fault is ModelFault.TIMEOUT
        nursery.start_soon(partial(trio.serve_listeners, trio.aclose_forcefully, [listener]))
        with pytest.raises(ModelError) as caught:
            async with open_completion(evolve(endpoint, idle_timeout=20.0), BODY):
                pass
        assert caught.value.fault.name == "CUT"
        nursery.cancel_scope.cancel()


async def test_only_certificates_that_are_trusted_are() -> None:
    authority = trustme.CA()
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(server)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    fake = FakeEndpoint()
    fake.script(say("Hello"))
    async with trio.open_nursery() as nursery:
        serve = partial(trio.serve_ssl_over_tcp, fake.serve, 0, server, host="127.0.0.1")
        listeners = await nursery.start(serve)
        port = listeners[0].transport_listener.socket.getsockname()[1]
        url = f"https://127.0.0.1:{port}/v1"
        async with open_completion(Endpoint(url, trust=trusting), BODY) as chunks:
            assert await chunks.receive() is not None
        with pytest.raises(ModelError) as caught:
            async with open_completion(Endpoint(url), BODY):
                pass
        assert caught.value.fault is ModelFault.UNREACHABLE
        nursery.cancel_scope.cancel()
