"""Every guardrail of the pack."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pulumi_policy import Policy

from policy import (
    access,
    api,
    durability,
    encryption,
    functions,
    observation,
    permissions,
    statements,
    tags,
    transport,
)

GUARDRAILS: Final[Sequence[Policy]] = (
    *access.RULES,
    *api.RULES,
    *durability.RULES,
    *encryption.RULES,
    *functions.RULES,
    *observation.RULES,
    *permissions.RULES,
    *statements.RULES,
    *tags.RULES,
    *transport.RULES,
)
