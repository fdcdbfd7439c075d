"""Taking the items of a check's file out of the catalog: no other is ever deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.catalog.table import Condition, key_of, latest_key

if TYPE_CHECKING:
    from shared.catalog.model import ObjectVersion
    from shared.catalog.table import CatalogTable


def remove_check(table: CatalogTable, version: ObjectVersion) -> bool:
    """Delete a version's item, and in the same call the one that says that it is its key's latest.

    Parameters
    ----------
    table
        The table.
    version
        A version that a check uploaded.

    Returns
    -------
    bool
        False if there is no such item, it is not a check's, or another version is its key's latest: nothing was
        changed.

    Raises
    ------
    botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError
        If DynamoDB fails. It can be done again.
    """
    item = table.delete_request(
        key_of(version.object_id, version.version_id), Condition(text="is_check = :yes", values={"yes": True})
    )
    latest = table.delete_request(
        latest_key(version.bucket, version.key),
        Condition(
            text="attribute_not_exists(object_id) OR latest_version_id = :version_id",
            values={"version_id": version.version_id},
        ),
    )
    return table.transact([{"Delete": item}, {"Delete": latest}]) is None
