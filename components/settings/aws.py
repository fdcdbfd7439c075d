"""The ``aws:`` keys of a stage: what its provider is told."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from components.settings.values import LOOPBACK_HOSTS, Group, Region


class AwsSettings(Group):
    """The ``aws:`` keys of a stage that the stack's provider takes over.

    The program declares its own provider, which reads no config, so a key that is not listed here would
    silently do nothing: it is refused instead.
    """

    region: Region = Field(description="Region of the stack.")
    profile: str | None = Field(None, description="Profile of the shared credentials file.")
    # `pulumi config set --path` writes an id as a number, unless it begins with a zero.
    allowed_account_ids: list[Annotated[str, Field(pattern=r"^\d{12}$", coerce_numbers_to_str=True)]] | None = Field(
        None, description="Accounts that the stack may be deployed to."
    )
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
