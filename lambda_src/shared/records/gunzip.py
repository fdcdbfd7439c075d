"""Decompresses gzip (RFC 1952): member after member, a bounded piece at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NoReturn

from isal import isal_zlib
from isal.igzip_lib import IsalError

from shared.records.batch import FileRejectedError

if TYPE_CHECKING:
    from collections.abc import Iterator

MAGIC: Final = b"\x1f\x8b"
"""The first bytes of a member."""

EXPANDED_BYTES: Final = 256 * 1024
"""The most that comes at once."""

MAX_EMPTY_MEMBERS: Final = 10_000
"""The most members without content: each costs time, and none brings a record."""

_WINDOW_BITS: Final = 31
# What is handed over at once. What a member leaves of it is copied, so less is faster where members are short.
_COMPRESSED_BYTES: Final = 16 * 1024
_MAX_HEADER_BYTES: Final = 256 * 1024
_FIXED_HEADER_BYTES: Final = 10
_HEADER_CRC, _EXTRA, _NAME, _COMMENT = 2, 4, 8, 16


def gunzip(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Decompress every member; zeros behind the last are padding.

    Raises
    ------
    FileRejectedError
        If the file is damaged or cut off, has other bytes behind it, or too many members without content.
    """
    compressed = _Compressed(chunks)
    empty = 0
    while compressed.begins_with(MAGIC):
        has_content = False
        for expanded in _expand_member(compressed):
            has_content = True
            yield expanded
        empty += not has_content
        if empty > MAX_EMPTY_MEMBERS:
            raise FileRejectedError(f"gzip has more than {MAX_EMPTY_MEMBERS} members without content")
    if not compressed.skip_zeros():
        raise FileRejectedError("gzip is followed by other bytes")


def _expand_member(compressed: _Compressed) -> Iterator[bytes]:
    member = isal_zlib.decompressobj(_WINDOW_BITS)
    # isal loses its place in a header with a checksum, or with two optional fields, that is handed over in parts.
    data = compressed.take(max(compressed.header_bytes(), _COMPRESSED_BYTES))
    while True:
        try:
            expanded = member.decompress(data, EXPANDED_BYTES)
        except IsalError as error:  # type: ignore[misc]  # declared as a value
            raise FileRejectedError(f"gzip is damaged near byte {compressed.position}: {error}") from error
        if expanded:
            yield expanded
        if member.eof:
            compressed.give_back(len(member.unused_data))
            return
        data = member.unconsumed_tail
        if not data and len(expanded) < EXPANDED_BYTES:  # else there may be more of what was handed over
            data = compressed.take(_COMPRESSED_BYTES) or compressed.reject_end()


class _Compressed:
    """The compressed bytes, and how far they have been taken.

    Attributes
    ----------
    position
        How many have been taken.
    """

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._buffer = b""
        self._start = 0
        self.position = 0

    def begins_with(self, text: bytes) -> bool:
        return self._fill(len(text)) and self._buffer.startswith(text, self._start)

    def take(self, size: int) -> bytes:
        """Take up to `size` bytes; nothing at the end."""
        self._fill(1)
        taken = self._buffer[self._start : self._start + size]
        self._start += len(taken)
        self.position += len(taken)
        return taken

    def give_back(self, size: int) -> None:
        """Untake the last `size` bytes of what was taken last."""
        self._start -= size
        self.position -= size

    def skip_zeros(self) -> bool:
        """Take all, and tell whether it was zeros."""
        while self._fill(1):
            if self.take(len(self._buffer)).strip(b"\0"):
                return False
        return True

    def header_bytes(self) -> int:
        """Read a member's header, without taking it, and return its length."""
        self._need(_FIXED_HEADER_BYTES)
        flags, end = self._buffer[self._start + 3], _FIXED_HEADER_BYTES
        if flags & _EXTRA:
            self._need(end + 2)
            place = self._start + end
            end += 2 + int.from_bytes(self._buffer[place : place + 2], "little")
        for flag in (_NAME, _COMMENT):
            if flags & flag:
                end = self._end_of_text(end)
        end += 2 if flags & _HEADER_CRC else 0
        self._need(end)
        return end

    def reject_end(self) -> NoReturn:
        """Say that there should be more."""
        raise FileRejectedError(f"gzip is cut off after {self.position + self._available} bytes")

    def _end_of_text(self, begin: int) -> int:
        """Return the place behind a text that ends with a zero, both counted from the member's first byte."""
        size = begin
        while True:
            size += 1
            self._need(size)
            end = self._buffer.find(b"\0", self._start + size - 1)
            if end >= 0:
                return end + 1 - self._start
            size = self._available
            if size > _MAX_HEADER_BYTES:
                raise FileRejectedError(f"gzip header at byte {self.position} is longer than {_MAX_HEADER_BYTES} bytes")

    @property
    def _available(self) -> int:
        return len(self._buffer) - self._start

    def _need(self, size: int) -> None:
        if not self._fill(size):
            self.reject_end()

    def _fill(self, size: int) -> bool:
        """Read until `size` bytes are there; tell whether they are."""
        while self._available < size:
            chunk = next(self._chunks, None)
            if chunk is None:
                return False
            self._buffer, self._start = self._buffer[self._start :] + chunk, 0
        return True
