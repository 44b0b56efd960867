"""The little HTTP that the demo's person and homeserver need: JSON and files, nothing clever.

It is apart from `client_server_api` on purpose: the person stands on the other side of the
homeserver, and must not share the service's mistakes. The demo's only import of httpx.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from urllib.parse import quote

import httpx
import trio
from attrs import frozen

Json = dict[str, object]
_SNIPPET = 200
"""Characters of an answer that an error quotes."""


class CallError(Exception):
    """The homeserver refused a call, or none answered (`status` is None then)."""

    def __init__(self, what: str, status: int | None, errcode: str | None, text: str) -> None:
        super().__init__(f"{what}: {status or 'no answer'} {errcode or ''} {text}".rstrip())
        self.status = status
        self.errcode = errcode


@frozen
class Caller:
    """Makes calls to one homeserver over one pool of connections."""

    url: str
    _http: httpx.AsyncClient

    async def call(
        self,
        method: str,
        *path: str,
        token: str | None = None,
        query: Mapping[str, str | int] | None = None,
        body: Json | None = None,
        within: float = 30,
    ) -> Json:
        """One request to `/seg/ment/s` (each quoted), with a bearer token and a JSON body.

        Waits out a 429 as the homeserver asks. `within` is the patience with one try, in seconds.

        Raises:
          CallError: a status over 399, an answer that is no JSON object, or no answer.
        """
        answer, what = await self._request(
            method, path, token=token, query=query, body=body, within=within
        )
        parsed = _json_object(answer)
        if not parsed and answer.text.strip() != "{}":
            raise CallError(what, answer.status_code, None, answer.text[:_SNIPPET])
        return parsed

    async def upload(self, content: bytes, name: str, mime_type: str, token: str) -> str:
        """Give the homeserver a file (client-server API, 11.7); returns its mxc: address.

        Raises:
          CallError: the homeserver refuses, or does not answer.
        """
        answer, _ = await self._request(
            "POST",
            ("_matrix", "media", "v3", "upload"),
            token=token,
            query={"filename": name},
            content=content,
            mime_type=mime_type,
        )
        return str(_json_object(answer)["content_uri"])

    async def download(self, address: str, token: str) -> bytes:
        """Return the file at an mxc: address (11.7, authenticated).

        Raises:
          CallError: there is none, or no answer.
        """
        server, _, media = address.removeprefix("mxc://").partition("/")
        path = ("_matrix", "client", "v1", "media", "download", server, media)
        answer, _ = await self._request("GET", path, token=token)
        return answer.content

    async def _request(
        self,
        method: str,
        path: tuple[str, ...],
        *,
        token: str | None = None,
        query: Mapping[str, str | int] | None = None,
        body: Json | None = None,
        content: bytes | None = None,
        mime_type: str | None = None,
        within: float = 30,
    ) -> tuple[httpx.Response, str]:
        """One request, and again after a 429; with what was asked, for an error's text."""
        target = "/" + "/".join(quote(segment, safe="") for segment in path)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        headers |= {"Content-Type": mime_type} if mime_type else {}
        what = f"{method} {target}"
        while True:
            try:
                answer = await self._http.request(
                    method,
                    target,
                    params=query,
                    json=body,
                    content=content,
                    headers=headers,
                    timeout=within,
                )
            except httpx.TransportError as error:
                raise CallError(what, None, None, repr(error)) from error
            if answer.status_code != httpx.codes.TOO_MANY_REQUESTS:
                break
            wait_ms = _json_object(answer).get("retry_after_ms")
            await trio.sleep(wait_ms / 1000 if isinstance(wait_ms, int) else 1)
        if answer.is_error:
            errcode = _json_object(answer).get("errcode")
            known = errcode if isinstance(errcode, str) else None
            raise CallError(what, answer.status_code, known, answer.text[:_SNIPPET])
        return answer, what


def _json_object(answer: httpx.Response) -> Json:
    try:
        parsed = json.loads(answer.content)
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}


@asynccontextmanager
async def open_caller(url: str) -> AsyncIterator[Caller]:
    """A `Caller` for the homeserver at `url`, for the length of the block."""
    async with httpx.AsyncClient(base_url=url, trust_env=False) as http:
        yield Caller(url, http)
