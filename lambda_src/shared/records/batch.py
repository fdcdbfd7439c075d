"""What reading a record file gives: batches of valid and rejected records, or the rejection of the file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from msgspec import Struct

    from shared.records.reasons import Reason

WINDOW_BYTES: Final = 32 * 1024
"""The most that is decoded at once: large enough for C to do the work, and nothing to memory."""

_FEW_RECORDS: Final = 32
_MIN_WINDOW_BYTES: Final = 1024

MAX_RECORD_BYTES: Final = 1024 * 1024
"""The longest record, in every format: without its line end, with the white space up to the comma in an array."""


class FileRejectedError(Exception):
    """The file as a whole cannot be read. The message says why, and where: never retried."""


class RecordTooLongError(FileRejectedError):
    """A record is longer than the limit.

    Parameters
    ----------
    place
        Where it begins.
    """

    def __init__(self, place: str) -> None:
        super().__init__(f"record at {place} is longer than {MAX_RECORD_BYTES} bytes")


@dataclass(frozen=True, slots=True)
class Rejection:
    """A record that is not valid.

    Parameters
    ----------
    number
        Its number in the file, counted from 1.
    reasons
        What is wrong with it: the first fault that was found.
    record
        The record as it came.
    """

    number: int
    reasons: Sequence[Reason]
    record: bytes


class Batch(NamedTuple):
    """Consecutive records of a file, in their order.

    Parameters
    ----------
    valid
        The valid ones, decoded.
    rejected
        The others.
    """

    valid: list[Struct]
    rejected: list[Rejection]

    @property
    def size(self) -> int:
        """How many records these are."""
        return len(self.valid) + len(self.rejected)

    def numbers(self, first: int) -> Sequence[int]:
        """Return the numbers of the valid ones in the file, where `first` is that of the batch's first record."""
        numbers = list(range(first, first + self.size))
        for rejection in reversed(self.rejected):
            del numbers[rejection.number - first]
        return numbers


class Window:
    """How many bytes are decoded at once: few after a bad record, for those beside it are decoded twice.

    Attributes
    ----------
    size
        Bytes.
    """

    def __init__(self) -> None:
        self.size = WINDOW_BYTES

    def learn(self, taken: int, batch: Batch) -> None:
        """Fit the next window to the last one, of which `taken` bytes gave `batch`."""
        if batch.rejected:
            self.size = max(_MIN_WINDOW_BYTES, _FEW_RECORDS * taken // batch.size)
        else:
            self.size = min(WINDOW_BYTES, self.size * 5 // 4)
