"""How far the search for uploads without an item has come: one item of the table, held by one search at a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef

STATE_ID_PREFIX: Final = "reconciliation:"
"""What the item's id begins with; no bucket's name has a colon, so that no file's id does."""

_VERSION: Final = "state"
_NEVER: Final = datetime.fromtimestamp(0, UTC)
_CONDITION_FAILED: Final = "ConditionalCheckFailedException"


class SearchTakenError(Exception):
    """Another search has taken over: this one had stood still for longer than its invocation may last."""


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


class SearchStates:
    """The item.

    Parameters
    ----------
    client, table_name
        The table and the client to reach it with.
    bucket
        The bucket that is searched.
    owner
        Who searches: the invocation.
    """

    def __init__(self, client: DynamoDBClient, table_name: str, *, bucket: str, owner: str) -> None:
        self._client = client
        self._table_name = table_name
        self._owner = owner
        self._key: dict[str, AttributeValueTypeDef] = {
            "object_id": {"S": f"{STATE_ID_PREFIX}{bucket}"},
            "version_id": {"S": _VERSION},
        }

    def take(self, *, now: datetime, until: datetime) -> SearchState | None:
        """Take the search until a time, at which it is given up; None if another has it."""
        try:
            answer = self._client.update_item(
                TableName=self._table_name,
                Key=self._key,
                UpdateExpression="SET #owner = :me, lease_expires_at = :until",
                ConditionExpression="attribute_not_exists(lease_expires_at) OR lease_expires_at < :now",
                ExpressionAttributeNames={"#owner": "owner"},
                ExpressionAttributeValues={":me": {"S": self._owner}, ":until": _seconds(until), ":now": _seconds(now)},
                ReturnValues="ALL_NEW",
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return None
        return _parse(answer["Attributes"])

    def save(self, state: SearchState, *, done: bool) -> None:
        """Write how far the search has come; `done`: and let others have it.

        Raises
        ------
        SearchTakenError
            If another has it.
        """
        sets = ["started_at = :started_at", "since = :since", "#key = :key", "listed_version_id = :version_id"]
        removes = ["until_time"] if state.until is None else []
        values: dict[str, AttributeValueTypeDef] = {
            ":me": {"S": self._owner},
            ":started_at": {"S": state.started_at.isoformat()},
            ":since": {"S": state.since.isoformat()},
            ":key": {"S": state.key},
            ":version_id": {"S": state.version_id},
        }
        if state.until is not None:
            sets.append("until_time = :until")
            values[":until"] = {"S": state.until.isoformat()}
        if done:
            removes.append("lease_expires_at")
        try:
            self._client.update_item(
                TableName=self._table_name,
                Key=self._key,
                UpdateExpression=f"SET {', '.join(sets)}" + (f" REMOVE {', '.join(removes)}" if removes else ""),
                ConditionExpression="#owner = :me",
                ExpressionAttributeNames={"#owner": "owner", "#key": "key"},
                ExpressionAttributeValues=values,
            )
        except self._client.exceptions.ConditionalCheckFailedException as error:
            raise SearchTakenError(self._owner) from error


def _parse(item: dict[str, AttributeValueTypeDef]) -> SearchState:
    def moment(name: str) -> datetime | None:
        return datetime.fromisoformat(item[name]["S"]) if name in item else None

    return SearchState(
        started_at=moment("started_at") or _NEVER,
        since=moment("since") or _NEVER,
        until=moment("until_time"),
        key=item["key"]["S"] if "key" in item else "",
        version_id=item["listed_version_id"]["S"] if "listed_version_id" in item else "",
    )


def _seconds(moment: datetime) -> AttributeValueTypeDef:
    return {"N": str(int(moment.timestamp()))}
