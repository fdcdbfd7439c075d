"""Values with rules of their own, and what every group of settings has in common."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, ClassVar, Literal, TypeAlias
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})

# A host's name has labels of at most 63 letters, digits and hyphens (RFC 1123).
_HOST = re.compile(r"(?=.{1,253}$)(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*|::1")
_REGION = r"[a-z]{2,4}(-[a-z]+)+-\d"
# A function gets it in its environment, which has 4 KB; API Gateway takes as many.
_MAX_URL = 2048
# China, GovCloud, the European Sovereign Cloud and the isolated regions (IAM User Guide, ARN format: partition).
_OTHER_PARTITIONS = ("cn-", "us-gov-", "eusc-", "us-iso", "eu-isoe-")


class Group(BaseModel):
    """Settings that belong together. A field's alias is its key in ``Pulumi.<stage>.yaml``.

    Bounds are the services' own where they have one; a field's description says what the setting does.

    Attributes
    ----------
    listed_in
        The paper that lists the settings.
    """

    listed_in: ClassVar[str] = "docs/configuration.md"

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", frozen=True, populate_by_name=True)


def _region(value: str) -> str:
    if not re.fullmatch(_REGION, value):
        raise ValueError("should be a region such as eu-central-1")
    if value.startswith(_OTHER_PARTITIONS):
        raise ValueError("should be a region of AWS's commercial partition: others name their services otherwise")
    return value


def _is_url(value: str) -> bool:
    """Whether a text is a URL without user, password and fragment; plain HTTP only to this machine."""
    try:
        url = urlsplit(value)
        port = url.port
    except ValueError:
        return False
    return (
        (url.scheme == "https" or (url.scheme == "http" and url.hostname in LOOPBACK_HOSTS))
        and bool(url.hostname and _HOST.fullmatch(url.hostname))
        and port != 0
        and "@" not in url.netloc
        and not url.fragment
        and bool(re.fullmatch(r"[!-~]+", value))
    )


def _endpoint(value: str) -> str:
    if value and (not _is_url(value) or len(value) > _MAX_URL):
        raise ValueError(
            "should be empty or a URL such as https://receiver.example.com/files, without user, password or fragment, "
            f"{_MAX_URL} characters at most"
        )
    return value


def _tag(value: str) -> str:
    if not re.fullmatch(r"[\w .:/=+@-]{1,256}", value):
        raise ValueError("should have 1 to 256 letters, digits, spaces or any of _.:/=+-@, as AWS tags do")
    return value


def _email(value: str) -> str:
    if not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", value):
        raise ValueError("should be an e-mail address such as ops@example.com")
    return value


def _origin(value: str) -> str:
    if value != "*" and not re.fullmatch(r"https://[a-z0-9.-]*\*?[a-z0-9.-]+(:\d+)?|http://localhost(:\d+)?", value):
        raise ValueError("should be * or an origin such as https://app.example.com, with no path")
    return value


def _api_origin(value: str) -> str:
    if value != "*" and not re.fullmatch(r"https://[a-z0-9.-]+(:\d+)?|http://localhost(:\d+)?", value):
        raise ValueError("should be * or an origin such as https://app.example.com; an HTTP API knows no *.")
    return value


def _range(value: str) -> str:
    try:
        ipaddress.ip_network(value if "/" in value else "")
    except ValueError as error:
        raise ValueError("should be a range of addresses in CIDR notation, such as 203.0.113.0/24") from error
    return value


def _extension(value: str) -> str:
    if not re.fullmatch(r"(\.[a-z0-9]+)+", value):
        raise ValueError("should be a lower-case extension with its dot, such as .csv or .csv.gz")
    return value


def _folder(value: str) -> str:
    if not re.fullmatch(r"[^/].*/", value):
        raise ValueError("should be a key prefix that ends in a slash and does not start with one, such as temp/")
    return value


def _record_type(value: str) -> str:
    if not re.fullmatch(r"uploads/([^=]*/)?=[a-z][a-z0-9_]*", value):
        raise ValueError("should be a prefix under uploads/, =, and a schema, such as uploads/shipments/=shipment")
    return value


def _insights_arn(value: str) -> str:
    layer = "arn:aws:lambda:eu-central-1:580247275435:layer:LambdaInsightsExtension-Arm64:20"
    example = f"empty or the versioned ARN of the LambdaInsightsExtension-Arm64 layer in the region, such as {layer}"
    return _arn(value, rf"arn:aws:lambda:{_REGION}:\d{{12}}:layer:LambdaInsightsExtension-Arm64:[1-9]\d*", example)


def _tag_pair(value: str) -> str:
    key, equals, text = value.partition("=")
    if not equals or not re.fullmatch(r"[\w .:/+@-]{1,128}", key) or not re.fullmatch(r"[\w .:/=+@-]{0,256}", text):
        raise ValueError("should be a tag's key, =, and its value, such as Team=orders, as AWS tags may be")
    if key.lower().startswith("aws:"):
        raise ValueError("should not begin with aws:, which is AWS's own")
    return value


def _arn(value: str, pattern: str, example: str, flags: int = 0) -> str:
    if value and not re.fullmatch(pattern, value, flags):
        raise ValueError(f"should be {example}")
    return value


def _key_arn(value: str) -> str:
    example = "empty or the ARN of a key, not of an alias, such as arn:aws:kms:eu-central-1:123456789012:key/1234abcd-…"
    # A UUID, or mrk- and 32 digits (KMS Developer Guide, Key identifiers and Multi-Region keys).
    key = r"([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|mrk-[0-9a-f]{32})"
    return _arn(value, rf"arn:aws:kms:{_REGION}:\d{{12}}:key/{key}", example)


def _boundary_arn(value: str) -> str:
    example = "empty or the ARN of a managed policy, such as arn:aws:iam::123456789012:policy/boundary"
    # IAM API Reference, CreatePolicy, Path and PolicyName.
    return _arn(
        value, r"arn:aws:iam::(\d{12}|aws):policy(?=.{0,640}$)(/[\w.,+@=-]+)*/[\w+=,.@-]{1,128}", example, re.ASCII
    )


def _topic_arn(value: str) -> str:
    example = "the ARN of a standard topic, such as arn:aws:sns:eu-central-1:123456789012:operators"
    return _arn(value, rf"arn:aws:sns:{_REGION}:\d{{12}}:[A-Za-z0-9_-]{{1,256}}", example)


def _iam_path(value: str) -> str:
    # IAM API Reference, CreateRole, Path.
    if not re.fullmatch(r"/(?=.{0,511}$)([!-.0-~]+/)*", value):
        raise ValueError("should be / or begin and end with a slash, such as /pipelines/")
    return value


def _subnet(value: str) -> str:
    return _arn(value or " ", r"subnet-[0-9a-f]{8,17}", "the id of a subnet, such as subnet-0123456789abcdef0")


def _security_group(value: str) -> str:
    return _arn(value or " ", r"sg-[0-9a-f]{8,17}", "the id of a security group, such as sg-0123456789abcdef0")


def _issuer(value: str) -> str:
    # OpenID Connect Discovery, 3; API Gateway V2 API Reference, JWTConfiguration: 2,048 characters.
    fits = _is_url(value) and value.startswith("https://") and not {"?", "#"} & set(value)
    if value and (not fits or len(value) > _MAX_URL):
        raise ValueError(
            "should be empty or the issuer's URL, such as https://login.example.com/tenant, as it is in its tokens: "
            f"without query and fragment, {_MAX_URL} characters at most"
        )
    return value


def _claim_value(value: str) -> str:
    # An HTTP API hands over a list as [a b]: a blank in a name would make two of it.
    # Cognito's groups have 128 characters at most (Cognito API Reference, CreateGroup, GroupName).
    if not re.fullmatch(r"[!-Z^-~]{1,128}", value):
        raise ValueError("should have 1 to 128 characters of ASCII, no blank and no bracket")
    return value


def _scope(value: str) -> str:
    # RFC 6749, 3.3, and Cognito: neither takes a quotation mark.
    if '"' in value or value.endswith("/"):
        raise ValueError("should have no quotation mark, and not end in a slash")
    return _claim_value(value)


def _audience(value: str) -> str:
    if not re.fullmatch(r"[!-~]{1,1024}", value):
        raise ValueError("should have 1 to 1024 characters of ASCII, and no blank")
    return value


Region: TypeAlias = Annotated[str, AfterValidator(_region)]
Endpoint: TypeAlias = Annotated[str, AfterValidator(_endpoint)]
Tag: TypeAlias = Annotated[str, AfterValidator(_tag)]
Email: TypeAlias = Annotated[str, AfterValidator(_email)]
Origin: TypeAlias = Annotated[str, AfterValidator(_origin)]
ApiOrigin: TypeAlias = Annotated[str, AfterValidator(_api_origin)]
AddressRange: TypeAlias = Annotated[str, AfterValidator(_range)]
Extension: TypeAlias = Annotated[str, AfterValidator(_extension)]
Folder: TypeAlias = Annotated[str, AfterValidator(_folder)]
RecordType: TypeAlias = Annotated[str, AfterValidator(_record_type)]
TagPair: TypeAlias = Annotated[str, AfterValidator(_tag_pair)]
KeyArn: TypeAlias = Annotated[str, AfterValidator(_key_arn)]
BoundaryArn: TypeAlias = Annotated[str, AfterValidator(_boundary_arn)]
TopicArn: TypeAlias = Annotated[str, AfterValidator(_topic_arn)]
IamPath: TypeAlias = Annotated[str, AfterValidator(_iam_path)]
SubnetId: TypeAlias = Annotated[str, AfterValidator(_subnet)]
SecurityGroupId: TypeAlias = Annotated[str, AfterValidator(_security_group)]
Issuer: TypeAlias = Annotated[str, AfterValidator(_issuer)]
ClaimValue: TypeAlias = Annotated[str, AfterValidator(_claim_value)]
Scope: TypeAlias = Annotated[str, AfterValidator(_scope)]
Audience: TypeAlias = Annotated[str, AfterValidator(_audience)]
InsightsLayerArn: TypeAlias = Annotated[str, AfterValidator(_insights_arn)]

# CloudWatch Logs accepts these and no others (PutRetentionPolicy, retentionInDays).
LogRetention: TypeAlias = Literal[
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653
]


def check_once(key: str, values: list[str]) -> None:
    """Refuse a list that has a value twice."""
    twice = {value for value in values if values.count(value) > 1}
    if twice:
        raise ValueError(f"{key}: {min(twice)!r} is given twice")


def check_origins(key: str, origins: list[str]) -> None:
    """Refuse a list in which ``*`` is not alone."""
    if "*" in origins and len(origins) > 1:
        raise ValueError(f"{key} = {origins}: * already allows every origin; give it alone")
