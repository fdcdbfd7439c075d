"""Where an item is in a list that is ordered by time, the one that changed last first."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from shared.catalog.model import CatalogItem

_TIE_DIGITS: Final = 16


class Position(NamedTuple):
    """Where an item is: at its time, and among those of one millisecond at its digest.

    Parameters
    ----------
    time
        ``processed_at``: ISO 8601 in UTC.
    tie
        Hex digits over the item's id and version.
    """

    time: str
    tie: str


def position_of(item: CatalogItem) -> Position:
    """Return where an item is."""
    digest = hashlib.sha256(f"{item.object_id}\0{item.version_id}".encode()).hexdigest()
    return Position(item.processed_at, digest[:_TIE_DIGITS])


def take(items: Iterator[CatalogItem], after: Position | None, limit: int) -> list[CatalogItem]:
    """Take a shard's first items, and all of the last one's millisecond: only then is their order known."""
    taken: list[CatalogItem] = []
    for item in items:
        if len(taken) >= limit and item.processed_at != taken[-1].processed_at:
            break
        if after is None or position_of(item) < after:
            taken.append(item)
    return latest_first(taken)[:limit]


def latest_first(items: Iterable[CatalogItem]) -> list[CatalogItem]:
    """Sort items by their positions."""
    return sorted(items, key=position_of, reverse=True)
