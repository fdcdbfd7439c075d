"""How far the search for uploads without an item has come: one item of the table, held by one search at a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from shared.catalog.table import CatalogTable, Condition, epoch, key_of, plain

if TYPE_CHECKING:
    from collections.abc import Mapping

STATE_ID_PREFIX: Final = "reconciliation:"
"""What the item's id begins with; no bucket's name has a colon, so that no file's id does."""

_VERSION: Final = "state"
_NEVER: Final = datetime.fromtimestamp(0, UTC)


class SearchTakenError(Exception):
    """Another search has taken over: this one was silent for longer than its invocation may last."""


@dataclass(frozen=True, kw_only=True)
class SearchState:
    """How far a search has come.

    Parameters
    ----------
    started_at
        When the last search began, whole or not.
    since
        What was uploaded until then has been searched.
    until
        The end of what is being searched; None if no search is under way.
    key, version_id
        The place in the bucket's list to go on after; empty: its beginning.
    """

    started_at: datetime = _NEVER
    since: datetime = _NEVER
    until: datetime | None = None
    key: str = ""
    version_id: str = ""

    @classmethod
    def parse(cls, item: Mapping[str, object]) -> SearchState:
        """Read the item's attributes."""

        def moment(name: str) -> datetime | None:
            return datetime.fromisoformat(str(item[name])) if name in item else None

        return cls(
            started_at=moment("started_at") or _NEVER,
            since=moment("since") or _NEVER,
            until=moment("until_time"),
            key=str(item.get("key", "")),
            version_id=str(item.get("listed_version_id", "")),
        )


class SearchStates:
    """The item.

    Parameters
    ----------
    table
        The table.
    bucket
        The bucket that is searched.
    owner
        Who searches: the invocation.
    """

    def __init__(self, table: CatalogTable, *, bucket: str, owner: str) -> None:
        self._table = table
        self._owner = owner
        self._key = key_of(f"{STATE_ID_PREFIX}{bucket}", _VERSION)

    def take(self, *, now: datetime, until: datetime) -> SearchState | None:
        """Take the search until a time, at which it is given up; None if another has it."""
        request = self._table.update_request(
            self._key,
            {"owner": self._owner, "lease_expires_at": epoch(until)},
            Condition(
                text="attribute_not_exists(lease_expires_at) OR #lease_expires_at < :now", values={"now": epoch(now)}
            ),
        )
        try:
            answer = self._table.client.update_item(**request, ReturnValues="ALL_NEW")
        except self._table.client.exceptions.ConditionalCheckFailedException:
            return None
        return SearchState.parse(plain(answer["Attributes"]))

    def save(self, state: SearchState, *, done: bool) -> None:
        """Write how far the search has come; `done`: and let others have it.

        Raises
        ------
        SearchTakenError
            If another has it.
        """
        changes = {
            "started_at": state.started_at.isoformat(),
            "since": state.since.isoformat(),
            "until_time": state.until.isoformat() if state.until else None,
            "key": state.key,
            "listed_version_id": state.version_id,
            **({"lease_expires_at": None} if done else {}),
        }
        mine = Condition(text="#owner = :me", values={"me": self._owner})
        if not self._table.update(self._key, changes, mine):
            raise SearchTakenError(self._owner)
