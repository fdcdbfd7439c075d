"""Every guardrail of the pack."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pulumi_policy import ResourceValidationPolicy, StackValidationPolicy

from policy import (
    accounts,
    api,
    durability,
    encryption,
    functions,
    known_types,
    observation,
    permissions,
    public,
    statements,
    tags,
    transport,
)

_ROOMS: Final = (
    accounts,
    api,
    durability,
    encryption,
    functions,
    known_types,
    observation,
    permissions,
    public,
    statements,
    tags,
    transport,
)

GUARDRAILS: Final[Sequence[ResourceValidationPolicy | StackValidationPolicy]] = tuple(
    rule
    for room in _ROOMS
    for rule in vars(room).values()
    if isinstance(rule, ResourceValidationPolicy | StackValidationPolicy)
)
"""Each rule of each room: a module's names that are rules, in their order."""
