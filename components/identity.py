"""Who may call the API: the user pool, its client, and its groups."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from components.settings import Settings, StackSettings

READERS_GROUP = "readers"
"""Group of those who may ask."""

WRITERS_GROUP = "writers"
"""Group of those who may also change something."""

TEST_USER = "test-user"

# Symbols that Cognito counts, without those that a shell or a JSON text would read its own way.
_AWKWARD_CHARACTERS = "\"'\\`$&|;<>(){}[]*?!#~/, "
_TEST_PASSWORD_LENGTH = 32


class Identity(pulumi.ComponentResource):
    """A Cognito user pool whose users sign in by username or e-mail, and a client without a secret.

    Attributes
    ----------
    pool, client
        The resources that others depend on.
    test_user, test_password
        The test user and its password, where the stage has one.
    """

    def __init__(self, name: str, *, stack: StackSettings, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("pipeline:index:Identity", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        settings = stack.settings
        self.pool = aws.cognito.UserPool(
            f"{name}-pool",
            alias_attributes=["email"],
            auto_verified_attributes=["email"],
            username_configuration=aws.cognito.UserPoolUsernameConfigurationArgs(case_sensitive=False),
            password_policy=aws.cognito.UserPoolPasswordPolicyArgs(
                minimum_length=settings.password_min_length,
                require_lowercase=True,
                require_uppercase=True,
                require_numbers=True,
                require_symbols=True,
                temporary_password_validity_days=settings.temporary_password_days,
            ),
            account_recovery_setting=aws.cognito.UserPoolAccountRecoverySettingArgs(
                recovery_mechanisms=[
                    aws.cognito.UserPoolAccountRecoverySettingRecoveryMechanismArgs(name="verified_email", priority=1)
                ]
            ),
            admin_create_user_config=aws.cognito.UserPoolAdminCreateUserConfigArgs(
                allow_admin_create_user_only=not settings.self_signup
            ),
            # Threat protection is part of the Plus plan alone.
            user_pool_tier="PLUS" if settings.threat_protection != "off" else "ESSENTIALS",
            user_pool_add_ons=aws.cognito.UserPoolUserPoolAddOnsArgs(
                advanced_security_mode=settings.threat_protection.upper()
            )
            if settings.threat_protection != "off"
            else None,
            deletion_protection="ACTIVE" if settings.retain_data else "INACTIVE",
            opts=pulumi.ResourceOptions(
                parent=self, protect=settings.retain_data, retain_on_delete=settings.retain_data
            ),
        )
        if settings.threat_protection != "off":
            self._configure_risk(name, settings)
        self.client = aws.cognito.UserPoolClient(
            f"{name}-client",
            user_pool_id=self.pool.id,
            generate_secret=False,
            explicit_auth_flows=["ALLOW_USER_PASSWORD_AUTH", "ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
            access_token_validity=settings.token_minutes,
            id_token_validity=settings.token_minutes,
            refresh_token_validity=settings.refresh_token_days,
            token_validity_units=aws.cognito.UserPoolClientTokenValidityUnitsArgs(
                access_token="minutes",  # noqa: S106 - units
                id_token="minutes",  # noqa: S106
                refresh_token="days",  # noqa: S106
            ),
            enable_token_revocation=True,
            # A wrong name and a wrong password answer alike.
            prevent_user_existence_errors="ENABLED",
            opts=child,
        )
        _, writers = (
            aws.cognito.UserGroup(
                f"{name}-{group}", name=group, description=description, user_pool_id=self.pool.id, opts=child
            )
            for group, description in (
                (READERS_GROUP, "May ask the API"),
                (WRITERS_GROUP, "May ask the API, and send to it"),
            )
        )
        self.test_user: aws.cognito.User | None = None
        self.test_password: pulumi.Output[str] | None = None
        if settings.test_user:
            self.test_user = self._add_test_user(name, settings, writers)
            self.test_password = pulumi.Output.secret(self.test_user.password.apply(str))
        self.register_outputs({"userPoolId": self.pool.id, "clientId": self.client.id})

    def _configure_risk(self, name: str, settings: Settings) -> None:
        """Say what threat protection does about its findings, and whose sign-ins it does not look at."""
        cognito, action = aws.cognito, "BLOCK" if settings.threat_protection == "enforced" else "NO_ACTION"
        skipped = settings.threat_protection_skipped_ranges
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
                skipped_ip_range_lists=skipped
            )
            if skipped
            else None,
            opts=pulumi.ResourceOptions(parent=self, retain_on_delete=True),
        )

    def _add_test_user(self, name: str, settings: Settings, group: aws.cognito.UserGroup) -> aws.cognito.User:
        password = aws.secretsmanager.get_random_password_output(
            password_length=max(_TEST_PASSWORD_LENGTH, settings.password_min_length),
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
