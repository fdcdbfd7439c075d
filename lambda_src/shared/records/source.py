"""The bytes of a file, decompressed, bounded, and buffered for the formats to cut windows from."""

from __future__ import annotations

import re
from itertools import chain
from typing import TYPE_CHECKING, Final

from shared.records.batch import FileRejectedError
from shared.records.gunzip import MAGIC, gunzip

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_BOM: Final = b"\xef\xbb\xbf"
WHITESPACE: Final = b" \t\r\n"
"""JSON's."""

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
        """Take the buffer up to the index `end`."""
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
    """Decompress what begins like gzip."""
    head = b""
    while len(head) < len(MAGIC):
        chunk = next(chunks, None)
        if chunk is None:
            break
        head += chunk
    every = chain((head,) if head else (), chunks)
    return gunzip(every) if head.startswith(MAGIC) else every
