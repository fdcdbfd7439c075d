"""Write request units of DynamoDB, from the images of a table's stream."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import TableDescriptionTypeDef
    from types_boto3_dynamodbstreams.type_defs import AttributeValueTypeDef, RecordTypeDef

UNIT_BYTES: Final = 1024
"""What one write unit writes (DynamoDB Developer Guide, Capacity unit consumption)."""

TRANSACTION_FACTOR: Final = 2
"""A transaction prepares and commits each item (DynamoDB Developer Guide, Transactions); an index is written once."""

ENTRY_BYTES: Final = 100
"""What is stored beside each item and each entry of an index (DynamoDB pricing, Data storage)."""

TABLE: Final = "table"


@dataclass(frozen=True, kw_only=True)
class Index:
    """An index, as far as its entries count.

    Parameters
    ----------
    keys
        The attributes of its key: an item without one of them has no entry.
    projected
        The attributes of an entry; None: all of the item.
    """

    keys: Sequence[str]
    projected: frozenset[str] | None

    def entry(self, item: Mapping[str, AttributeValueTypeDef]) -> Mapping[str, AttributeValueTypeDef]:
        """Return an item's entry; empty if it has none."""
        if not all(key in item for key in self.keys):
            return {}
        return item if self.projected is None else {name: item[name] for name in self.projected if name in item}

    def units(self, old: Mapping[str, AttributeValueTypeDef], new: Mapping[str, AttributeValueTypeDef]) -> int:
        """Return what a change of an item costs (Using global secondary indexes, Write capacity units).

        An entry whose key changes is deleted and put; one whose other attributes change is written once.
        """
        before, after = self.entry(old), self.entry(new)
        if before == after:
            return 0
        moved = any(before.get(key) != after.get(key) for key in self.keys)
        return units_of(before) + units_of(after) if moved else max(units_of(before), units_of(after))


def indexes_of(table: TableDescriptionTypeDef) -> dict[str, Index]:
    """Read a table's indexes."""
    found = {}
    primary = [key["AttributeName"] for key in table["KeySchema"]]
    for index in table.get("GlobalSecondaryIndexes", []):
        keys = [key["AttributeName"] for key in index["KeySchema"]]
        projection = index["Projection"]
        everything = projection["ProjectionType"] == "ALL"
        own = frozenset([*primary, *keys, *projection.get("NonKeyAttributes", [])])
        found[index["IndexName"]] = Index(keys=keys, projected=None if everything else own)
    return found


def write_units(
    records: Iterable[RecordTypeDef], indexes: Mapping[str, Index], transacted: Counter[str]
) -> Counter[str]:
    """Return the units that changes cost, of the table and of each index.

    Parameters
    ----------
    records
        The changes, in their order.
    indexes
        The table's indexes.
    transacted
        How many of the first changes of each item, by its partition key, were part of a transaction; counted down.
    """
    units = Counter[str]()
    for record in records:
        change = record["dynamodb"]
        old, new = change.get("OldImage", {}), change.get("NewImage", {})
        key = change["Keys"]["object_id"]["S"]
        factor = 1
        if transacted[key]:
            transacted[key] -= 1
            factor = TRANSACTION_FACTOR
        units[TABLE] += factor * max(units_of(old), units_of(new))
        for name, index in indexes.items():
            units[name] += index.units(old, new)
    return units


def stored_bytes(records: Iterable[RecordTypeDef], indexes: Mapping[str, Index]) -> int:
    """Return how much more a table and its indexes hold after some changes, as storage is billed."""
    stored = 0
    for record in records:
        change = record["dynamodb"]
        for sign, item in ((-1, change.get("OldImage", {})), (1, change.get("NewImage", {}))):
            entries = [entry for index in indexes.values() if (entry := index.entry(item))]
            stored += sign * sum(item_bytes(entry) + ENTRY_BYTES for entry in entries)
            stored += sign * (item_bytes(item) + ENTRY_BYTES if item else 0)
    return stored


def units_of(item: Mapping[str, AttributeValueTypeDef]) -> int:
    """Return the write units of an item."""
    return -(-item_bytes(item) // UNIT_BYTES)


def item_bytes(item: Mapping[str, AttributeValueTypeDef]) -> int:
    """Return an item's size (DynamoDB Developer Guide, Item sizes and formats)."""
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def _value_bytes(value: AttributeValueTypeDef) -> int:
    if "N" in value:
        return -(-len(value["N"].strip("-.0")) // 2) + 1
    if "M" in value:
        return 3 + sum(1 + len(f"{name}{inner['S']}".encode()) for name, inner in value["M"].items())  # all are texts
    return 1 if "BOOL" in value else len(value.get("S", "").encode())
