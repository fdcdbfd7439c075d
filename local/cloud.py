"""The emulator as its administrator sees it, or whoever takes a role there."""

from __future__ import annotations

from functools import cache, partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Final, cast

import boto3
from botocore.config import Config

from local.emulator import Emulator

if TYPE_CHECKING:
    from types_boto3_sts.type_defs import CredentialsTypeDef

_CONFIG: Final = Config(
    connect_timeout=5, read_timeout=30, max_pool_connections=20, s3={"addressing_style": "path"}, proxies={}
)


class Cloud:
    """An emulator, as its administrator, to whom IAM does not apply; or in a role, to which it does.

    Parameters
    ----------
    session
        Makes the clients, and says in which region.
    account
        The account that the emulator plays.

    Attributes
    ----------
    client
        Returns the client of a service, by boto3's name of it.
    """

    def __init__(self, session: boto3.Session, *, account: str) -> None:
        self.client = session.client
        self.region = session.region_name
        self.account = account

    @classmethod
    def of(cls, emulator: Emulator, role: CredentialsTypeDef | None = None) -> Cloud:
        """Reach a running emulator, as its administrator or in a role; each client is made once."""
        environment = emulator.environment()
        session = boto3.Session(
            aws_access_key_id=role["AccessKeyId"] if role else environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=role["SecretAccessKey"] if role else environment["AWS_SECRET_ACCESS_KEY"],
            aws_session_token=role["SessionToken"] if role else None,
            region_name=emulator.region,
        )
        make = partial(session.client, endpoint_url=emulator.endpoint, verify=str(emulator.ca_bundle), config=_CONFIG)
        # To the type checker it is a session: of the overloads of its `client`, one fits each service.
        clients = cast("boto3.Session", SimpleNamespace(client=cache(make), region_name=emulator.region))
        return cls(clients, account=clients.client("sts").get_caller_identity()["Account"])

    def arn(self, service: str, resource: str) -> str:
        """Return the ARN of a resource in the emulator's account and region."""
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"
