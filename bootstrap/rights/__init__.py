"""Which actions each declared resource type needs: what the roles of a deployment are made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bootstrap.rights.access import ACCESS
from bootstrap.rights.calls import CALLS
from bootstrap.rights.functions import FUNCTIONS
from bootstrap.rights.messages import MESSAGES
from bootstrap.rights.model import Table
from bootstrap.rights.observation import OBSERVATION
from bootstrap.rights.storage import STORAGE

TABLES: Final[Mapping[str, Table]] = {
    "storage": STORAGE,
    "messages": MESSAGES,
    "functions": FUNCTIONS,
    "observation": OBSERVATION,
    "access": {**ACCESS, **CALLS},
}
"""Name of a managed policy → what it is made of. A policy holds 6,144 characters (IAM and STS quotas)."""

EVERY_TYPE: Final[Table] = {kind: rights for table in TABLES.values() for kind, rights in table.items()}
"""The whole table."""
