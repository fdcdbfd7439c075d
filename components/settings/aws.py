"""The ``aws:`` keys of a stage: the configuration of its provider."""

from __future__ import annotations

import re
from typing import Annotated, Literal, TypeAlias
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from components.settings.values import LOOPBACK_HOSTS, Group, Region


def _account_id(value: str) -> str:
    if not re.fullmatch(r"\d{12}", value):
        raise ValueError("should be the 12 digits of an account's id, such as 123456789012")
    return value


def _role_arn(value: str) -> str:
    if not re.fullmatch(r"arn:aws:iam::\d{12}:role/.+", value):
        raise ValueError("should be the ARN of a role, such as arn:aws:iam::123456789012:role/deploy")
    return value


AccountId: TypeAlias = Annotated[str, Field(coerce_numbers_to_str=True), AfterValidator(_account_id)]


class AssumeRole(Group):
    """A role that the provider takes before it does anything."""

    role_arn: Annotated[str, AfterValidator(_role_arn)] = Field(description="The role.")
    session_name: str | None = Field(None, description="Name of the session, as logs show it.")
    external_id: str | None = Field(None, coerce_numbers_to_str=True, description="What the role's owner asks for.")
    duration: str | None = Field(None, description="How long the session lasts, such as 1h.")
    source_identity: str | None = Field(None, description="Who takes it, as logs show it.")


class IgnoreTags(Group):
    """Tags that others put on the stack's resources, and the provider leaves alone."""

    keys: list[str] | None = Field(None, description="Their keys.")
    key_prefixes: list[str] | None = Field(None, description="What their keys begin with.")


class AwsSettings(Group):
    """The ``aws:`` keys of a stage that the stack's provider takes over.

    The program declares its own provider, which reads no config, so a key that is not listed here would
    silently do nothing: it is refused instead.
    """

    region: Region = Field(description="Region of the stack.")
    profile: str | None = Field(None, description="Profile of the shared credentials file.")
    assume_roles: list[AssumeRole] | None = Field(None, description="Roles that are taken one after the other.")
    # `pulumi config set --path` writes an id as a number, unless it begins with a zero.
    allowed_account_ids: list[AccountId] | None = Field(None, description="Accounts that the stack may be deployed to.")
    forbidden_account_ids: list[AccountId] | None = Field(None, description="Accounts that it may not be deployed to.")
    ignore_tags: IgnoreTags | None = Field(None, description="Tags of others, which are left alone.")
    max_retries: int | None = Field(None, ge=0, description="Times that a request is tried again.")
    retry_mode: Literal["standard", "adaptive"] | None = Field(None, description="How it is tried again.")
    http_proxy: str | None = Field(None, description="Proxy of HTTP requests.")
    https_proxy: str | None = Field(None, description="Proxy of HTTPS requests.")
    no_proxy: str | None = Field(None, description="Hosts that are reached without a proxy.")
    custom_ca_bundle: str | None = Field(None, description="File with the certificates of the proxy.")
    shared_config_files: list[str] | None = Field(None, description="Files of shared configuration.")
    shared_credentials_files: list[str] | None = Field(None, description="Files of shared credentials.")
    sts_region: str | None = Field(None, description="Region of the service that roles are taken from.")
    use_fips_endpoint: bool | None = Field(None, description="Reach AWS by its FIPS endpoints.")
    use_dualstack_endpoint: bool | None = Field(None, description="Reach AWS by endpoints of IPv4 and IPv6.")
    access_key: str | None = Field(None, description="Access key of the local cloud.")
    secret_key: str | None = Field(None, description="Secret key of the local cloud.")
    endpoints: list[dict[str, str]] | None = Field(None, description="Endpoint of each service, for the local cloud.")
    insecure: bool | None = Field(None, description="Take the local cloud's self-signed certificate.")
    s3_use_path_style: bool | None = Field(None, description="Address buckets by path, as the local cloud does.")
    skip_credentials_validation: bool | None = Field(None, description="Do not ask STS who we are.")
    skip_metadata_api_check: bool | None = Field(None, description="Do not ask the instance for credentials.")

    @model_validator(mode="after")
    def _check_loopback(self) -> AwsSettings:
        hosts = {urlsplit(url).hostname for service in self.endpoints or [] for url in service.values()}
        local = bool(hosts) and hosts <= LOOPBACK_HOSTS
        for key, value in (("insecure", self.insecure), ("accessKey", self.access_key), ("secretKey", self.secret_key)):
            if value and not local:
                raise ValueError(f"{key}: only with endpoints that are all on this machine; elsewhere use a profile")
        return self
