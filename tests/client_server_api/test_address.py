from __future__ import annotations

import ssl
from pathlib import Path

import pytest
import trustme

from lambda_matrix.client_server_api.address import Address, parse_address, tls_context
from lambda_matrix.client_server_api.errors import BadTransportSetting


@pytest.mark.parametrize(
    ("url", "base_url", "host"),
    [
        ("http://127.0.0.1:8008", "http://127.0.0.1:8008", "127.0.0.1:8008"),
        ("https://matrix.example.org/", "https://matrix.example.org", "matrix.example.org"),
        ("https://example.org/hs/", "https://example.org/hs", "example.org"),
        ("http://[::1]:8008", "http://[::1]:8008", "[::1]:8008"),
        ("https://пример.рф", "https://xn--e1afmkfd.xn--p1ai", "xn--e1afmkfd.xn--p1ai"),
    ],
)
def test_good_urls(url: str, base_url: str, host: str) -> None:
    assert parse_address(url) == Address(base_url, host)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.org",
        "ftp://example.org",
        "http://",
        "http://:8008",
        "http://host:port",
        "http://host:99999",
        "http://[::1",
        "http://a..ü/",
        "http://example.org/\x00",
        "http://exa mple.org",
        "http://example.org/a?b",
        "http://example.org/#f",
    ],
)
def test_bad_urls(url: str) -> None:
    with pytest.raises(BadTransportSetting):
        parse_address(url)


def test_a_password_in_a_url_is_refused_without_being_shown() -> None:
    with pytest.raises(BadTransportSetting) as caught:
        parse_address("https://me:hunter2@example.org")

    assert "hunter2" not in str(caught.value)


def test_the_systems_certificates_and_ours(tmp_path: Path) -> None:
    ca_file = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(ca_file)

    context = tls_context(parse_address("https://example.org"), ca_file)

    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.get_ca_certs()


@pytest.mark.parametrize("content", [None, b"no certificate"])
def test_a_bad_ca_file_is_named(tmp_path: Path, content: bytes | None) -> None:
    ca_file = tmp_path / "ca.pem"
    if content is not None:
        ca_file.write_bytes(content)

    with pytest.raises(BadTransportSetting, match=r"ca\.pem"):
        tls_context(parse_address("http://example.org"), ca_file)
