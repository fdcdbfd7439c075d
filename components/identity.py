"""Who may call the API: the user pool, its client, and its groups."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import pulumi
import pulumi_aws as aws

from components.account import Account

GROUPS_CLAIM = "cognito:groups"
"""Where a user pool's tokens name their user's groups (Cognito Developer Guide, Adding groups to a user pool)."""

SCOPES_CLAIM = "scope"
"""Where its access tokens name their scopes."""

TEST_USER = "test-user"

# Symbols that Cognito counts, without those that a shell or a JSON text would read its own way.
_AWKWARD_CHARACTERS = "\"'\\`$&|;<>(){}[]*?!#~/, "
_TEST_PASSWORD_LENGTH = 32


@dataclass(frozen=True, kw_only=True)
class IdentityArgs:
    """How strict the pool is.

    Parameters
    ----------
    retain
        Whether the pool outlives the stack, and is protected from deletion.
    password_min_length
        Minimum password length, in characters.
    self_signup
        Whether people may make their own users, who are in no group.
    temporary_password_days
        Days within which a user must replace a temporary password.
    token_minutes
        Minutes that an access token or an ID token is valid.
    refresh_token_days
        Days that a refresh token is valid.
    threat_protection
        ``audit`` assesses each sign-in and blocks none, ``enforced`` blocks those that it takes for an attack. Both
        need the Plus plan, billed by user.
    threat_protection_skipped_ranges
        Addresses, in CIDR notation, whose sign-ins threat protection does not look at.
    test_user
        Whether there is a user for tests, in the group of writers, with a generated password.
    program_client
        Whether there is a client with a secret, for programs.
    readers_group, writers_group
        Groups of the users who may ask, and of those who may also send.
    read_scope, write_scope
        The same for programs, as ``server/scope``: both of one server.
    """

    retain: bool = True
    password_min_length: int = 12
    self_signup: bool = False
    temporary_password_days: int = 3
    token_minutes: int = 60
    refresh_token_days: int = 30
    threat_protection: Literal["off", "audit", "enforced"] = "audit"
    threat_protection_skipped_ranges: Sequence[str] = ()
    test_user: bool = False
    program_client: bool = False
    readers_group: str = "readers"
    writers_group: str = "writers"
    read_scope: str = "files/read"
    write_scope: str = "files/write"

    @property
    def protected(self) -> bool:
        """Whether there is threat protection."""
        return self.threat_protection != "off"


@dataclass(frozen=True, kw_only=True)
class Programs:
    """How programs sign in: by client credentials.

    Parameters
    ----------
    client_id, client_secret
        What they sign in with.
    token_url
        Where they get a token.
    """

    client_id: pulumi.Output[str]
    client_secret: pulumi.Output[str]
    token_url: pulumi.Output[str]


class Identity(pulumi.ComponentResource):
    """A Cognito user pool whose users sign in by username or e-mail, and a client without a secret.

    Attributes
    ----------
    pool, client
        The resources that others depend on.
    issuer
        URL of the pool as an OIDC provider.
    test_user, test_password
        The test user and its password, where there is one.
    programs
        How programs sign in, where they do.
    """

    def __init__(self, name: str, args: IdentityArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("pipeline:index:Identity", name, None, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        self.pool = self._pool(name, args)
        self.issuer = pulumi.Output.concat("https://", self.pool.endpoint)
        if args.protected:
            self._configure_risk(name, args)
        self.client = self._client(name, args)
        self._group(name, "readers", args.readers_group, "May ask the API")
        writers = self._group(name, "writers", args.writers_group, "May ask the API, and send to it")
        self.programs = self._let_programs_in(name, args) if args.program_client else None
        self.test_user: aws.cognito.User | None = None
        self.test_password: pulumi.Output[str] | None = None
        if args.test_user:
            self.test_user = self._add_test_user(name, args.password_min_length, writers)
            self.test_password = pulumi.Output.secret(self.test_user.password.apply(str))
        self.register_outputs({"userPoolId": self.pool.id, "clientId": self.client.id})

    def _pool(self, name: str, args: IdentityArgs) -> aws.cognito.UserPool:
        recovery = aws.cognito.UserPoolAccountRecoverySettingRecoveryMechanismArgs(name="verified_email", priority=1)
        return aws.cognito.UserPool(
            f"{name}-pool",
            alias_attributes=["email"],
            auto_verified_attributes=["email"],
            username_configuration=aws.cognito.UserPoolUsernameConfigurationArgs(case_sensitive=False),
            password_policy=aws.cognito.UserPoolPasswordPolicyArgs(
                minimum_length=args.password_min_length,
                require_lowercase=True,
                require_uppercase=True,
                require_numbers=True,
                require_symbols=True,
                temporary_password_validity_days=args.temporary_password_days,
            ),
            account_recovery_setting=aws.cognito.UserPoolAccountRecoverySettingArgs(recovery_mechanisms=[recovery]),
            admin_create_user_config=aws.cognito.UserPoolAdminCreateUserConfigArgs(
                allow_admin_create_user_only=not args.self_signup
            ),
            # Threat protection is part of the Plus plan alone.
            user_pool_tier="PLUS" if args.protected else "ESSENTIALS",
            user_pool_add_ons=aws.cognito.UserPoolUserPoolAddOnsArgs(
                advanced_security_mode=args.threat_protection.upper()
            )
            if args.protected
            else None,
            deletion_protection="ACTIVE" if args.retain else "INACTIVE",
            opts=pulumi.ResourceOptions(parent=self, protect=args.retain, retain_on_delete=args.retain),
        )

    def _client(self, name: str, args: IdentityArgs) -> aws.cognito.UserPoolClient:
        return aws.cognito.UserPoolClient(
            f"{name}-client",
            user_pool_id=self.pool.id,
            generate_secret=False,
            explicit_auth_flows=["ALLOW_USER_PASSWORD_AUTH", "ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
            access_token_validity=args.token_minutes,
            id_token_validity=args.token_minutes,
            refresh_token_validity=args.refresh_token_days,
            token_validity_units=aws.cognito.UserPoolClientTokenValidityUnitsArgs(
                access_token="minutes",  # noqa: S106 - units
                id_token="minutes",  # noqa: S106
                refresh_token="days",  # noqa: S106
            ),
            enable_token_revocation=True,
            # A wrong name and a wrong password answer alike.
            prevent_user_existence_errors="ENABLED",
            opts=self._child,
        )

    def _group(self, name: str, purpose: str, group: str, description: str) -> aws.cognito.UserGroup:
        return aws.cognito.UserGroup(
            f"{name}-{purpose}", name=group, description=description, user_pool_id=self.pool.id, opts=self._child
        )

    def _let_programs_in(self, name: str, args: IdentityArgs) -> Programs:
        server = args.read_scope.rpartition("/")[0]
        scopes = {args.read_scope: "May ask the API", args.write_scope: "May ask the API, and send to it"}
        resource_server = aws.cognito.ResourceServer(
            f"{name}-server",
            identifier=server,
            name=server,
            user_pool_id=self.pool.id,
            scopes=[
                aws.cognito.ResourceServerScopeArgs(
                    scope_name=scope.removeprefix(f"{server}/"), scope_description=description
                )
                for scope, description in scopes.items()
            ],
            opts=self._child,
        )
        client = aws.cognito.UserPoolClient(
            f"{name}-programs",
            user_pool_id=self.pool.id,
            generate_secret=True,
            allowed_oauth_flows=["client_credentials"],
            allowed_oauth_flows_user_pool_client=True,
            allowed_oauth_scopes=list(scopes),
            # No user signs in by it.
            explicit_auth_flows=["ALLOW_REFRESH_TOKEN_AUTH"],
            access_token_validity=args.token_minutes,
            token_validity_units=aws.cognito.UserPoolClientTokenValidityUnitsArgs(
                access_token="minutes",  # noqa: S106 - units
            ),
            prevent_user_existence_errors="ENABLED",
            # A client may only have scopes that exist.
            opts=pulumi.ResourceOptions(
                parent=self, depends_on=[resource_server], additional_secret_outputs=["clientSecret"]
            ),
        )
        account = Account(self)
        domain = aws.cognito.UserPoolDomain(
            f"{name}-domain",
            domain=pulumi.Output.all(account.id, account.region).apply(lambda where: _domain(name, *where)),
            user_pool_id=self.pool.id,
            opts=self._child,
        )
        return Programs(
            client_id=client.id,
            client_secret=pulumi.Output.secret(client.client_secret),
            token_url=pulumi.Output.concat(
                "https://", domain.domain, ".auth.", account.region, ".amazoncognito.com/oauth2/token"
            ),
        )

    def _configure_risk(self, name: str, args: IdentityArgs) -> None:
        """Say what threat protection does about its findings, and whose sign-ins it does not look at."""
        cognito, action = aws.cognito, "BLOCK" if args.threat_protection == "enforced" else "NO_ACTION"
        skipped = args.threat_protection_skipped_ranges
        cognito.RiskConfiguration(
            f"{name}-risk",
            user_pool_id=self.pool.id,
            compromised_credentials_risk_configuration=cognito.RiskConfigurationCompromisedCredentialsRiskConfigurationArgs(
                actions=cognito.RiskConfigurationCompromisedCredentialsRiskConfigurationActionsArgs(event_action=action)
            ),
            account_takeover_risk_configuration=cognito.RiskConfigurationAccountTakeoverRiskConfigurationArgs(
                actions=cognito.RiskConfigurationAccountTakeoverRiskConfigurationActionsArgs(
                    # Users have no second factor to be asked for; a notice would need a sender's address.
                    high_action=cognito.RiskConfigurationAccountTakeoverRiskConfigurationActionsHighActionArgs(
                        event_action=action, notify=False
                    ),
                    medium_action=cognito.RiskConfigurationAccountTakeoverRiskConfigurationActionsMediumActionArgs(
                        event_action=action, notify=False
                    ),
                )
            ),
            risk_exception_configuration=cognito.RiskConfigurationRiskExceptionConfigurationArgs(
                skipped_ip_range_lists=list(skipped)
            )
            if skipped
            else None,
            opts=pulumi.ResourceOptions(parent=self, retain_on_delete=True),
        )

    def _add_test_user(self, name: str, min_length: int, group: aws.cognito.UserGroup) -> aws.cognito.User:
        password = aws.secretsmanager.get_random_password_output(
            password_length=max(_TEST_PASSWORD_LENGTH, min_length),
            exclude_characters=_AWKWARD_CHARACTERS,
            require_each_included_type=True,
            opts=pulumi.InvokeOutputOptions(parent=self),
        ).random_password
        user = aws.cognito.User(
            f"{name}-test-user",
            user_pool_id=self.pool.id,
            username=TEST_USER,
            password=pulumi.Output.secret(password),
            message_action="SUPPRESS",
            # Each run is given another password: the user keeps the first.
            opts=pulumi.ResourceOptions(
                parent=self, ignore_changes=["password"], additional_secret_outputs=["password"]
            ),
        )
        aws.cognito.UserInGroup(
            f"{name}-test-user-group",
            user_pool_id=self.pool.id,
            username=user.username,
            group_name=group.name,
            opts=pulumi.ResourceOptions(parent=self),
        )
        return user


def _domain(name: str, account: str, region: str) -> str:
    """Return a name that nobody else in the region has, without the words that Cognito does not allow in it."""
    return "programs-" + hashlib.sha256(f"{account}/{region}/{name}".encode()).hexdigest()[:24]
