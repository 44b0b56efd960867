from __future__ import annotations

import pytest

from lambda_matrix.client_server_api.content_address import ContentAddress, read_mxc


@pytest.mark.parametrize(
    ("text", "server", "media_id"),
    [
        ("mxc://example.org/SEsfnsuifSDFSSEF", "example.org", "SEsfnsuifSDFSSEF"),
        ("mxc://example.org:8448/a_b-c", "example.org:8448", "a_b-c"),
        ("mxc://127.0.0.1/1", "127.0.0.1", "1"),
        ("mxc://[2001:db8::1]:8448/1", "[2001:db8::1]:8448", "1"),
    ],
)
def test_addresses(text: str, server: str, media_id: str) -> None:
    assert read_mxc(text) == ContentAddress(server, media_id)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "mxc://",
        "mxc://h",
        "mxc://h/",
        "mxc:///x",
        "mxc://h/x/y",
        "mxc://h/..",
        "mxc://../x",
        "mxc://h/x?y",
        "mxc://h/x%2Fy",
        "mxc://h\\x/y",
        "mxc://h/x\n",
        "https://h/x",
        "MXC://h/x",
    ],
)
def test_what_is_none(text: str) -> None:
    assert read_mxc(text) is None
