"""How strict the user pool is."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from components.settings.values import AddressRange, Group


class IdentityGroup(Group):
    """How strict the user pool is."""

    password_min_length: int = Field(12, ge=8, le=99, description="Minimum password length, in characters.")
    self_signup: bool = Field(default=False, description="Let people make their own users; they are in no group.")
    temporary_password_days: int = Field(
        3, ge=1, le=365, description="Days within which a user must replace a temporary password."
    )
    token_minutes: int = Field(60, ge=5, le=1440, description="Minutes that an access token or an ID token is valid.")
    refresh_token_days: int = Field(
        30, ge=1, le=3650, description="Days that a refresh token is valid: then a user signs in again."
    )
    threat_protection: Literal["off", "audit", "enforced"] = Field(
        "audit",
        description="Cognito's threat protection: audit assesses each sign-in and blocks none, enforced blocks those "
        "that it takes for an attack. Both need the Plus plan, billed by user.",
    )
    threat_protection_skipped_ranges: list[AddressRange] = Field(
        [],
        max_length=200,
        description="Addresses, in CIDR notation, whose sign-ins threat protection does not look at: those of programs "
        "that sign in again and again.",
    )
    test_user: bool = Field(
        default=False, description="Make a user for tests, in the group of writers, with a generated password."
    )
