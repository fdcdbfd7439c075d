"""The catalog's items that name the latest version of each object key.

S3's sequencer orders the events of a key, so one conditional write decides. Where it is not known, because the event of
a version never came, S3 itself is asked which version is the latest; the answer only counts if the item has not changed
since before the question.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from shared.catalog.model import FIRST_ORDER, ObjectVersion
from shared.catalog.table import CatalogTable, Condition, latest_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef, TransactWriteItemTypeDef

    from shared.catalog.table import Value

_UNKNOWN: Final = "unknown"


@dataclass(frozen=True, kw_only=True)
class Pointer:
    """Which version of a key is the latest.

    Parameters
    ----------
    object_id, version_id
        The latest version.
    order
        Its sequencer, as `ObjectVersion.order` has it; where it is not known, that of the version before it.
    order_known
        Whether the order is the version's own.
    """

    object_id: str
    version_id: str
    order: str
    order_known: bool

    @classmethod
    def parse(cls, item: Mapping[str, AttributeValueTypeDef]) -> Pointer:
        """Read the item."""
        return cls(
            object_id=item["latest_object_id"]["S"],
            version_id=item["latest_version_id"]["S"],
            order=item["order"]["S"],
            order_known=is_order_known(item),
        )


def is_order_known(item: Mapping[str, object]) -> bool:
    """Whether the order of an item is its version's own."""
    return "order_unknown" not in item


class LatestWriter:
    """Names the latest versions.

    Parameters
    ----------
    table
        The table.
    """

    def __init__(self, table: CatalogTable) -> None:
        self._table = table

    def read(self, version: ObjectVersion) -> Pointer | None:
        """Return the latest version of a version's key; None if none is named."""
        key = latest_key(version.bucket, version.key)
        item = self._table.client.get_item(TableName=self._table.name, Key=key, ConsistentRead=True).get("Item")
        return Pointer.parse(item) if item else None

    def move_by_order(self, version: ObjectVersion) -> TransactWriteItemTypeDef:
        """Return the write that names `version`, unless a later one is named or the named one's order is not known."""
        condition = Condition(
            text="attribute_not_exists(object_id) OR (#order <= :order AND attribute_not_exists(order_unknown))",
            values={"order": version.order},
        )
        return self._move(version, version.order, condition)

    def move_from(self, pointer: Pointer | None, version: ObjectVersion) -> TransactWriteItemTypeDef:
        """Return the write that names `version`, if the item is still as `pointer` was read."""
        order = version.order if version.sequencer else (pointer.order if pointer else FIRST_ORDER)
        if pointer is None:
            return self._move(version, order, Condition(text="attribute_not_exists(object_id)"))
        condition = Condition(
            text="#latest_version_id = :version_id AND #order = :order",
            values={"version_id": pointer.version_id, "order": pointer.order},
        )
        return self._move(version, order, condition)

    def _move(self, version: ObjectVersion, order: str, condition: Condition) -> TransactWriteItemTypeDef:
        changes: dict[str, Value | None] = {
            "latest_object_id": version.object_id,
            "latest_version_id": version.version_id,
            "order": order,
            "order_unknown": None if version.sequencer else _UNKNOWN,
            "ttl": self._table.ttl(),
        }
        key = latest_key(version.bucket, version.key)
        return {"Update": self._table.update_request(key, changes, condition)}
