"""Gzip members with the optional header fields that the standard library does not write (RFC 1952)."""

from __future__ import annotations

import gzip
import struct
import zlib

_HEADER_BYTES = 10


def gzip_member(
    content: bytes,
    *,
    extra: bytes | None = None,
    name: bytes | None = None,
    comment: bytes | None = None,
    checksum: bool = False,
) -> bytes:
    """A member with these fields in its header."""
    flags = (extra is not None) << 2 | (name is not None) << 3 | (comment is not None) << 4 | checksum << 1
    header = b"\x1f\x8b\x08" + bytes([flags]) + b"\0\0\0\0\0\xff"
    if extra is not None:
        header += struct.pack("<H", len(extra)) + extra
    header += b"".join(text + b"\0" for text in (name, comment) if text is not None)
    if checksum:
        header += struct.pack("<H", zlib.crc32(header) & 0xFFFF)
    return header + gzip.compress(content)[_HEADER_BYTES:]
