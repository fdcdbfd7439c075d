"""Which settings do something only where another has a certain value: the others would be dropped in silence."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from components.settings.alerting import AlertingGroup

if TYPE_CHECKING:
    from components.settings.model import Settings


@dataclass(frozen=True, kw_only=True)
class Need:
    """What some settings need.

    Parameters
    ----------
    fields
        The settings.
    met
        Whether they do anything.
    otherwise
        When they do nothing.
    way
        What to do if they should.
    """

    fields: frozenset[str]
    met: Callable[[Settings], bool]
    otherwise: str
    way: str


_ASKED_OF_POOL: Final = frozenset(
    {"self_signup", "test_user", "program_client", "temporary_password_days", "threat_protection_skipped_ranges"}
)
_ASKED_OF_API: Final = frozenset(
    {
        *("jwt_issuer", "jwt_audiences", "jwt_groups_claim", "jwt_scopes_claim", "read_scope", "write_scope"),
        *("api_reserved_concurrency", "api_snap_start"),
    }
)
"""What asks for something. Details, such as a rate or a length, may stay in a stage that has the part switched off."""

_FINAL: Final = frozenset({"final_within_seconds", "final_within_percent"})
"""What is drawn on the dashboard, too."""

NEEDS: Final = (
    Need(
        fields=_ASKED_OF_POOL | _ASKED_OF_API,
        met=lambda settings: settings.api,
        otherwise="with api = false",
        way="set api to true",
    ),
    Need(
        fields=_ASKED_OF_POOL,
        met=lambda settings: not settings.jwt_issuer,
        otherwise="with jwtIssuer, which stands in for the user pool",
        way="take jwtIssuer out",
    ),
    Need(
        fields=frozenset({"threat_protection"}),
        met=lambda settings: not settings.jwt_issuer or settings.threat_protection != "enforced",
        otherwise="with jwtIssuer, which protects its own users",
        way="take jwtIssuer out",
    ),
    Need(
        fields=frozenset({"jwt_audiences", "jwt_groups_claim", "jwt_scopes_claim"}),
        met=lambda settings: bool(settings.jwt_issuer),
        otherwise="without jwtIssuer: a user pool's tokens have claims of their own",
        way="set jwtIssuer",
    ),
    Need(
        fields=frozenset({"read_scope", "write_scope"}),
        met=lambda settings: settings.program_client or bool(settings.jwt_issuer),
        otherwise="without programClient and jwtIssuer, since nobody signs in who has scopes",
        way="set one of them",
    ),
    Need(
        fields=frozenset({"threat_protection_skipped_ranges"}),
        met=lambda settings: settings.threat_protection != "off",
        otherwise="with threatProtection = off",
        way="set threatProtection to audit or enforced",
    ),
    Need(
        fields=frozenset({"api_cors_max_age_seconds"}),
        met=lambda settings: bool(settings.api_cors_origins),
        otherwise="without apiCorsOrigins",
        way="set apiCorsOrigins",
    ),
    Need(
        fields=frozenset({"cors_max_age_seconds"}),
        met=lambda settings: bool(settings.cors_origins),
        otherwise="without corsOrigins",
        way="set corsOrigins",
    ),
    Need(
        # The latency that raises an alarm is drawn on the dashboard too.
        fields=frozenset(AlertingGroup.model_fields) - {"alarms", "dashboard", *_FINAL} | {"delivery_alarm_seconds"},
        met=lambda settings: settings.alarms,
        otherwise="with alarms = false",
        way="set alarms to true",
    ),
    Need(
        fields=frozenset({"api_latency_alarm_ms", *_FINAL}),
        met=lambda settings: settings.alarms or settings.dashboard,
        otherwise="with alarms = false and dashboard = false",
        way="set one of them to true",
    ),
    Need(
        fields=frozenset({"final_within_percent"}),
        met=lambda settings: bool(settings.final_within_seconds),
        otherwise="with finalWithinSeconds = 0",
        way="set finalWithinSeconds",
    ),
    Need(
        fields=frozenset({"archive_after_days", "deep_archive_after_days"}),
        met=lambda settings: settings.intelligent_tiering,
        otherwise="with intelligentTiering = false",
        way="set intelligentTiering to true",
    ),
    Need(
        fields=frozenset({"table_max_read_units", "table_max_write_units"}),
        met=lambda settings: settings.table_billing_mode == "PAY_PER_REQUEST",
        otherwise="with tableBillingMode = PROVISIONED, whose limit is autoscalingMaxCapacity",
        way="set tableBillingMode to PAY_PER_REQUEST",
    ),
    Need(
        fields=frozenset({"reconciliation_delay_seconds"}),
        met=lambda settings: bool(settings.reconciliation_hours),
        otherwise="with reconciliationHours = 0",
        way="set reconciliationHours",
    ),
    Need(
        fields=frozenset({"record_schemas"}),
        met=lambda settings: bool(settings.record_types),
        otherwise="with recordTypes = [], which names none of them",
        way="name them in recordTypes",
    ),
)
"""What each setting needs that does nothing by itself."""


def find_unmet(settings: Settings) -> Iterator[str]:
    """Say which settings would do nothing, though they have another value than their default.

    One that has its default's value may have it from Pulumi.yaml, which the Pulumi CLI hands over likewise.
    """
    found: set[str] = set()
    for need in NEEDS:
        if need.met(settings):
            continue
        for name, field in type(settings).model_fields.items():
            value: object = getattr(settings, name)
            if name in need.fields - found and value != field.default:
                found.add(name)
                shown = repr(value) if isinstance(value, str) else json.dumps(value)
                key = field.alias
                yield f"{key} = {shown}: does nothing {need.otherwise}: take {key} out, or {need.way}"
