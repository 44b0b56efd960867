"""Where the homeserver is, and whose certificates prove that it is the homeserver.

Both come from settings, so both are checked before the first request, each with a sentence that a
person can act on.
"""

from __future__ import annotations

import ssl
from pathlib import Path
from urllib.parse import urlsplit

from attrs import frozen

from lambda_matrix.client_server_api.errors import BadTransportSetting


@frozen
class Address:
    """`base_url` has no trailing slash; `host` is what the `Host` header says."""

    base_url: str
    host: str

    @property
    def is_tls(self) -> bool:
        """Whether certificates matter."""
        return self.base_url.startswith("https://")


def parse_address(base_url: str) -> Address:
    """Read `http(s)://host[:port][/prefix]`.

    Raises:
        BadTransportSetting: It is something else.
    """
    try:
        url = urlsplit(base_url)
        url.port  # noqa: B018 - reading it is what checks it
        host = url.netloc.encode("idna" if not url.netloc.isascii() else "ascii").decode()
    except (ValueError, UnicodeError) as error:
        raise BadTransportSetting(f"{base_url!r} is not a URL: {error}.") from error
    if url.username is not None or url.query or url.fragment:
        raise BadTransportSetting(
            "The homeserver's URL must hold no user, no password, no query and no fragment."
        )
    is_clean = base_url.isprintable() and " " not in base_url
    if url.scheme not in {"http", "https"} or not url.hostname or not is_clean:
        raise BadTransportSetting(f"{base_url!r} is not of the form http(s)://host[:port].")
    return Address(f"{url.scheme}://{host}{url.path.rstrip('/')}", host)


def tls_context(
    address: Address, ca_file: Path | None, *, elsewhere: bool = False
) -> ssl.SSLContext:
    """Trust the system's certificates and those of `ca_file`, TLS 1.2 or newer.

    `elsewhere` says that certificates matter even if those of `address` do not.

    Raises:
        BadTransportSetting: The CA file cannot be read, or holds no certificate.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # verifies; as yet it trusts nobody
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if address.is_tls or elsewhere:
        context.load_default_certs()  # 20 ms that plain HTTP does not need
    if ca_file is not None:
        try:
            context.load_verify_locations(ca_file)
        except OSError as error:  # ssl.SSLError is one
            raise BadTransportSetting(f"The CA file {ca_file} cannot be used: {error}.") from error
    return context
