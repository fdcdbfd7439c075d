"""Who may sign in: the user pool, or an identity provider of your own."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from components.settings.values import AddressRange, Audience, ClaimValue, Group, Issuer, Scope, check_once


class IdentityGroup(Group):
    """Who may sign in: the user pool, or an identity provider of your own."""

    password_min_length: int = Field(12, ge=8, le=99, description="Minimum password length, in characters.")
    self_signup: bool = Field(default=False, description="Let people sign themselves up; they are in no group.")
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
        default=False, description="Create a user for tests, in the group of writers, with a generated password."
    )
    program_client: bool = Field(
        default=False,
        description="Create a client for programs, with a secret, that signs in by client credentials. Billed.",
    )
    readers_group: ClaimValue = Field("readers", description="Group of users who may read through the API.")
    writers_group: ClaimValue = Field("writers", description="Group of users who may also send to the API.")
    read_scope: Scope = Field("files/read", description="Scope of programs that may read through the API.")
    write_scope: Scope = Field("files/write", description="Scope of programs that may also send to the API.")
    jwt_issuer: Issuer = Field(
        "", description="URL of an OIDC provider of your own, whose tokens the API takes in place of a user pool's."
    )
    jwt_audiences: list[Audience] = Field(
        [],
        max_length=50,
        description="Whom its tokens must be issued for: aud or, where there is none, client_id.",
    )
    jwt_groups_claim: ClaimValue = Field("groups", description="Claim that names a user's groups.")
    jwt_scopes_claim: ClaimValue = Field("scope", description="Claim that names a program's scopes.")

    @model_validator(mode="after")
    def _check_issuer(self) -> Self:
        check_once("jwtAudiences", self.jwt_audiences)
        if self.jwt_issuer and not self.jwt_audiences:
            raise ValueError(
                f"jwtIssuer = {self.jwt_issuer!r}: needs jwtAudiences, since tokens are checked for both: set them, or "
                "take jwtIssuer out"
            )
        if self.readers_group == self.writers_group:
            raise ValueError(f"readersGroup = {self.readers_group!r}: should not be writersGroup too")
        servers = {scope.rpartition("/")[0] for scope in (self.read_scope, self.write_scope)}
        if self.program_client and (len(servers) > 1 or "" in servers):
            raise ValueError(
                f"readScope = {self.read_scope!r}, writeScope = {self.write_scope!r}: should be two scopes of one "
                "server, such as files/read and files/write, for programClient"
            )
        if self.read_scope == self.write_scope:
            raise ValueError(f"readScope = {self.read_scope!r}: should not be writeScope too")
        return self
