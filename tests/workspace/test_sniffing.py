from __future__ import annotations

import struct

import pytest
from hypothesis import given, strategies as st

from lambda_matrix.workspace.sniffing import HEAD, Media, media_of


def brand(name: bytes) -> bytes:
    """The beginning of an ISO base media file (MP4 and its kin)."""
    return struct.pack(">I", 24) + b"ftyp" + name + bytes(4) + b"isom" + name


PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
WEBM = b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\xf7\x81\x01B\xf2\x81\x04B\xf3\x81\x08B\x82\x84webm"
OGG = b"OggS\0\2" + bytes(20) + b"\x01\x13OpusHead\1\1" + bytes(20)


@pytest.mark.parametrize(
    ("head", "claimed", "mime_type", "kind"),
    [
        (PNG, "", "image/png", "image"),
        (PNG, "text/html", "image/png", "image"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF\0", "", "image/jpeg", "image"),
        (b"II*\0\x08\0\0\0" + bytes(20), "image/tiff", "image/tiff", "document"),
        (
            b'<svg xmlns="http://www.w3.org/2000/svg"/>',
            "image/svg+xml",
            "image/svg+xml",
            "document",
        ),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "image/png", "text/plain", "document"),
        (b"fLaC\0\0\0\x22" + bytes(34), "", "audio/flac", "audio"),
        (b"RIFF\x24\0\0\0WAVEfmt ", "", "audio/wav", "audio"),
        (OGG, "audio/ogg; codecs=opus", "audio/ogg", "audio"),
        (OGG, "video/ogg", "video/ogg", "video"),
        (brand(b"mp42"), "", "video/mp4", "video"),
        (brand(b"mp42"), "audio/mp4", "audio/mp4", "audio"),
        (brand(b"iso9"), "video/mp4", "video/mp4", "video"),
        (brand(b"iso9"), "Audio/MP4", "audio/mp4", "audio"),
        (WEBM, "", "video/webm", "video"),
        (WEBM, "audio/webm", "audio/webm", "audio"),
        (WEBM, "audio/ogg", "video/webm", "video"),
        (b"%PDF-1.7\n%plain", "text/plain", "application/pdf", "document"),
        (b"{\\rtf1 hello}", "", "application/rtf", "document"),
        (b"MZ\x90\0\3\0\0\0", "image/png", "application/x-msdownload", "document"),
        (b"BMW is a car", "", "text/plain", "document"),
        (b"ID3 tags, explained", "audio/mpeg", "text/plain", "document"),
        (b"a,b\n1,2\n", "text/csv", "text/csv", "document"),
        (b'{"a": 1}', "application/json", "application/json", "document"),
        (b'{"a": 1}', "application/x-msdownload", "text/plain", "document"),
        ("Привет".encode(), "text/plain; charset=utf-8", "text/plain", "document"),
        ("ы".encode() * HEAD, "", "text/plain", "document"),
        (b"", "", "text/plain", "document"),
        (b"\xcf\xf0\xe8\xe2\xe5\xf2", "text/plain", "application/octet-stream", "document"),
        (bytes(range(128, 256)), "image/png", "application/octet-stream", "document"),
    ],
)
def test_what_a_file_is(head: bytes, claimed: str, mime_type: str, kind: str) -> None:
    media = media_of(head[:HEAD], claimed)
    assert (media.mime_type, media.kind) == (mime_type, kind)


@given(st.binary(max_size=HEAD), st.text())
def test_nothing_confuses_it(head: bytes, claimed: str) -> None:
    media = media_of(head, claimed)
    assert media.mime_type.isascii()
    assert media.kind in {"image", "audio", "video", "document"}


def test_a_text_may_be_cut_within_a_character() -> None:
    assert media_of(("x" + "ы" * HEAD).encode()[:HEAD]).mime_type == "text/plain"
    assert media_of("ы".encode()[:1]).mime_type == "application/octet-stream"


@pytest.mark.parametrize(
    ("media", "name"),
    [
        (Media("image/jpeg", "image"), "image.jpg"),
        (Media("audio/ogg", "audio"), "audio.ogg"),
        (Media("text/plain", "document"), "document.txt"),
        (Media("application/octet-stream", "document"), "document"),
        (Media("application/json", "document"), "document"),
    ],
)
def test_a_file_without_a_name_gets_one(media: Media, name: str) -> None:
    assert media.nameless == name
