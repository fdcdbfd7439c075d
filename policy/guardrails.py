"""Every guardrail of the pack."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Final

from pulumi_policy import ResourceValidationPolicy, StackValidationPolicy

_ROOMS: Final = (
    *("accounts", "api", "durability", "encryption", "functions", "known_types", "observation"),
    *("permissions", "public", "statements", "tags", "transport"),
)

GUARDRAILS: Final[Sequence[ResourceValidationPolicy | StackValidationPolicy]] = tuple(
    rule
    for room in _ROOMS
    for rule in vars(import_module(f"policy.{room}")).values()
    if isinstance(rule, ResourceValidationPolicy | StackValidationPolicy)
)
"""Each rule of each room: the names in a module that are rules, in their order."""
