"""The bytes of a file, decompressed, bounded, and buffered for the formats to cut windows from."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from isal import isal_zlib
from isal.igzip_lib import IsalError

from shared.records.batch import FileRejectedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_GZIP_MAGIC: Final = b"\x1f\x8b"
_GZIP_WINDOW_BITS: Final = 31
_EXPANDED_CHUNK: Final = 256 * 1024
_BOM: Final = b"\xef\xbb\xbf"
_TEXT: Final = re.compile(rb"[^ \t\r\n]")


class Source:
    """A window on a stream of bytes.

    Parameters
    ----------
    chunks
        The file as it is stored, gzip or not; told apart by its first bytes.
    max_bytes
        The most bytes, after decompression, that the file may have.

    Attributes
    ----------
    buffer, start
        What has been read, and where the part that is not taken yet begins in it.
    ended
        Whether everything has been read.
    """

    def __init__(self, chunks: Iterable[bytes], max_bytes: int) -> None:
        self._chunks = _expand(iter(chunks))
        self._max_bytes = max_bytes
        self._read = 0
        self.buffer = b""
        self.start = 0
        self.ended = False
        self.fill(len(_BOM))
        if self.buffer.startswith(_BOM):
            self.start = len(_BOM)

    @property
    def position(self) -> int:
        """Offset in the file, after decompression, of what is not taken yet."""
        return self._read - len(self.buffer) + self.start

    @property
    def available(self) -> int:
        """Bytes in the buffer that are not taken yet."""
        return len(self.buffer) - self.start

    def fill(self, size: int) -> None:
        """Read until `size` bytes are available, or all.

        Raises
        ------
        FileRejectedError
            If the file is too large, or is damaged gzip.
        """
        if self.ended or self.available >= size:
            return
        parts = [self.buffer[self.start :]]
        available = len(parts[0])
        while available < size:
            chunk = next(self._chunks, None)
            if chunk is None:
                self.ended = True
                break
            parts.append(chunk)
            available += len(chunk)
            self._read += len(chunk)
            if self._read > self._max_bytes:
                raise FileRejectedError(f"file expands to more than {self._max_bytes} bytes")
        self.buffer, self.start = b"".join(parts), 0

    def take(self, end: int) -> bytes:
        """Take what stands in the buffer up to the index `end`."""
        taken = self.buffer[self.start : end]
        self.start = end
        return taken

    def skip_whitespace(self) -> None:
        """Skip JSON's white space."""
        while True:
            text = _TEXT.search(self.buffer, self.start)
            self.start = text.start() if text else len(self.buffer)
            if text or self.ended:
                return
            self.fill(1)


def _expand(chunks: Iterator[bytes]) -> Iterator[bytes]:
    head = b""
    while len(head) < len(_GZIP_MAGIC):
        chunk = next(chunks, None)
        if chunk is None:
            break
        head += chunk
    if not head.startswith(_GZIP_MAGIC):
        if head:
            yield head
        yield from chunks
        return
    yield from _gunzip(head, chunks)


def _gunzip(data: bytes, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Decompress every member, never more than a chunk at once."""
    member = isal_zlib.decompressobj(_GZIP_WINDOW_BITS)
    consumed = len(data)
    while True:
        try:
            expanded = member.decompress(data, _EXPANDED_CHUNK)
        except IsalError as error:  # type: ignore[misc]  # declared as a value
            raise FileRejectedError(f"gzip is damaged near byte {consumed}: {error}") from error
        if expanded:
            yield expanded
        if member.eof:
            data = _next_member(member.unused_data, chunks)
            if not data:
                return
            member = isal_zlib.decompressobj(_GZIP_WINDOW_BITS)
            continue
        data = member.unconsumed_tail
        if data or len(expanded) == _EXPANDED_CHUNK:  # there may be more of what was handed over
            continue
        chunk = next(chunks, None)
        if chunk is None:
            raise FileRejectedError(f"gzip is cut off after {consumed} bytes")
        consumed += len(chunk)
        data = chunk


def _next_member(data: bytes, chunks: Iterator[bytes]) -> bytes:
    """Return the beginning of the next member, or nothing at the end of the file. Padding with zeros is the end."""
    while len(data) < len(_GZIP_MAGIC):
        chunk = next(chunks, None)
        if chunk is None:
            break
        data += chunk
    if data.startswith(_GZIP_MAGIC):
        return data
    while not data.strip(b"\0"):
        chunk = next(chunks, None)
        if chunk is None:
            return b""
        data = chunk
    raise FileRejectedError("gzip is followed by bytes that are none")
