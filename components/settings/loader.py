"""Reads the config of the current stack: the only reader of Pulumi's config."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

import pulumi
from pulumi.runtime import config as runtime_config
from pydantic import BaseModel, ConfigDict, ValidationError

from components.addresses import is_forbidden
from components.settings.aws import AwsSettings
from components.settings.model import Settings
from components.settings.places import find_elsewhere
from components.settings.values import Group

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_Model = TypeVar("_Model", bound=Group)

MAX_NAME_PREFIX = 40
"""Characters of ``project-stage``: an S3 bucket name holds 63, and the longest of ours adds a part and a suffix."""

LOCAL_STAGE = "local"
"""The stage that runs on one machine."""

AWS_NAMESPACE = "aws"
"""What the provider's own keys begin with."""

# The provider in use, and Pulumi's own: tags of the stack, names, default providers.
_OTHER_NAMESPACES = (AWS_NAMESPACE, "pulumi")
_STAGE = re.compile(r"[a-z][a-z0-9-]*")

_GONE = {
    "defaultTags": "the stack's settings owner, costCenter, backup and tags say what every resource is tagged with; "
    "remove the key",
    "batchSize": "one message is one invocation's work, so that a file that fails or is slow takes no other with it; "
    "remove the setting",
    "deliveryMaxAgeSeconds": "say deliveryRetrySeconds",
    "deliveryMaxRetries": "it follows from deliveryRetrySeconds; remove the setting",
    "deliveryBatchSize": "one message is one invocation's work; remove the setting",
    "deliveryParallelization": "say deliveryMaxConcurrency: deliveries that run at once, in all",
}
"""Settings that one might expect, and why there are none."""


class SettingsError(pulumi.RunError):
    """One or more settings are wrong. The message names each key, its value and what is allowed."""


class StackSettings(BaseModel):
    """All of the program's input: which stack it is, its settings, and its provider's."""

    model_config = ConfigDict(frozen=True)

    project: str
    stage: str
    settings: Settings
    aws: AwsSettings

    @property
    def prefix(self) -> str:
        """``project-stage``: what every name of the stack starts with."""
        return f"{self.project}-{self.stage}"

    @property
    def tags(self) -> dict[str, str]:
        """The tags that every taggable resource carries."""
        return {
            "Environment": self.stage,
            "Project": self.project,
            "ManagedBy": "Pulumi",
            "Owner": self.settings.owner,
            "CostCenter": self.settings.cost_center,
            "Backup": str(self.settings.backup).lower(),
            **dict(pair.split("=", 1) for pair in self.settings.tags),
        }


def load() -> StackSettings:
    """Read and check the config of the current stack.

    Returns
    -------
    StackSettings
        The checked settings, frozen.

    Raises
    ------
    SettingsError
        If a key is unknown, a value is of the wrong type or out of bounds, or two values contradict each
        other. All problems are named at once.
    """
    project, stage = pulumi.get_project(), pulumi.get_stack()
    problems = [*_check_names(project, stage), *foreign_keys(project, stage)]
    settings = read_group(Settings, project, problems)
    aws = read_group(AwsSettings, AWS_NAMESPACE, problems)
    problems += _check_hosts(project, stage, settings)
    if settings and aws:
        allowed, forbidden = aws.allowed_account_ids or (), aws.forbidden_account_ids or ()
        elsewhere = find_elsewhere(settings, region=aws.region, accounts=allowed, not_accounts=forbidden)
        problems += [f"{project}:{text}" for text in elsewhere]
    if problems or settings is None or aws is None:
        raise SettingsError(f"wrong settings of stack {stage!r}:\n" + "\n".join(f"  {text}" for text in problems))
    return StackSettings(project=project, stage=stage, settings=settings, aws=aws)


def parse(project: str, stage: str, values: Mapping[str, object]) -> Settings:
    """Check settings that another program gives, in place of a stack's config.

    Parameters
    ----------
    project, stage
        What the names of the pipeline begin with.
    values
        Key, as in a stage's file → value.

    Returns
    -------
    Settings
        The checked settings, frozen.

    Raises
    ------
    SettingsError
        As `load`.
    """
    problems = list(_check_names(project, stage))
    settings = _validate(Settings, project, values, problems)
    problems += _check_hosts(project, stage, settings)
    if problems or settings is None:
        raise SettingsError(f"wrong settings of {project!r}:\n" + "\n".join(f"  {text}" for text in problems))
    return settings


def read_group(model: type[_Model], namespace: str, problems: list[str]) -> _Model | None:
    """Build `model` from the keys of `namespace` in the stack's config, or append what is wrong with them."""
    read = _read(namespace)
    hidden = [key for key in read if runtime_config.is_config_secret(f"{namespace}:{key}")]
    if hidden:
        way = "no setting is a secret, set it without --secret"
        if namespace == AWS_NAMESPACE:
            way = "give credentials by a profile, a role or the environment, a proxy's by HTTPS_PROXY"
        why = f"would be in clear in the stack's state; {way}"
        problems += [f"{namespace}:{key}: {why}" for key in hidden]
        return None
    return _validate(model, namespace, {key: _decode(model, key, value) for key, value in read.items()}, problems)


def _validate(model: type[_Model], namespace: str, values: Mapping[str, object], problems: list[str]) -> _Model | None:
    try:
        return model.model_validate(values)
    except ValidationError as error:
        problems += [text for detail in error.errors() for text in _explain(model, namespace, detail).split("\n")]
        return None


def _check_names(project: str, stage: str) -> Iterator[str]:
    """Say what is wrong with what every name of the stack begins with."""
    prefix = f"{project}-{stage}"
    if not _STAGE.fullmatch(stage) or not _STAGE.fullmatch(project):
        yield f"project {project!r}, stack {stage!r}: should be lower-case letters, digits and hyphens"
    if len(prefix) > MAX_NAME_PREFIX:
        yield f"{prefix!r} ({len(prefix)} characters): project and stack should have {MAX_NAME_PREFIX} at most"


def _check_hosts(project: str, stage: str, settings: Settings | None) -> Iterator[str]:
    """Say which addresses lead to this machine or its link, where AWS should find something else."""
    if settings is None or stage == LOCAL_STAGE:
        return
    for key, url, visitor in (
        ("deliveryEndpoint", settings.delivery_endpoint, "function"),
        ("jwtIssuer", settings.jwt_issuer, "API"),
    ):
        if is_forbidden(urlsplit(url).hostname or ""):
            yield (
                f"{project}:{key} = {url!r}: should be https://… and a host that the {visitor} reaches over the "
                "network, not an address of its own machine or link (loopback, link-local, multicast); only the stage "
                f"{LOCAL_STAGE!r} uses this machine"
            )


def foreign_keys(project: str, stage: str) -> Iterator[str]:
    """Say which keys nobody would read: after the project was renamed, all of its settings."""
    namespaces = {key.partition(":")[0] for key in _handed_over()} - {project, *_OTHER_NAMESPACES}
    for namespace in sorted(namespaces):
        keys = ", ".join(sorted(_read(namespace)))
        yield (
            f"{namespace}: ({keys}): is not read by this program, whose settings begin with {project}:, the project's "
            f"name in Pulumi.yaml. If the project was renamed, replace {namespace}: by {project}: in "
            f"Pulumi.{stage}.yaml; otherwise take the keys out"
        )


def _handed_over() -> dict[str, str]:
    """All that the stack's files set, the project's defaults included, as Pulumi hands it over."""
    return {**runtime_config.get_config_env(), **runtime_config.CONFIG.get()}


def _read(namespace: str) -> dict[str, str]:
    prefix = f"{namespace}:"
    return {key.removeprefix(prefix): str(value) for key, value in _handed_over().items() if key.startswith(prefix)}


def _decode(model: type[BaseModel], key: str, value: str) -> object:
    """Pulumi hands everything over as text: what is not text in the model is JSON."""
    field = next((field for field in model.model_fields.values() if field.alias == key), None)
    if field is None or isinstance(field.default, str) or field.annotation in {str, str | None}:
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def _explain(model: type[Group], namespace: str, detail: ErrorDetails) -> str:
    message = detail["msg"].removeprefix("Value error, ").removeprefix("Input ")
    if not detail["loc"]:  # a rule across fields names its keys itself
        return "\n".join(f"{namespace}:{line}" for line in message.split("\n"))
    key = f"{namespace}:{detail['loc'][0]}" + "".join(f"[{part}]" for part in detail["loc"][1:])
    if detail["type"] == "missing":
        return f"{key}: is required"
    unknown = detail["type"] == "extra_forbidden"
    # A key of the provider that this program does not know may be a credential, which stays out of logs.
    hidden = namespace == AWS_NAMESPACE and (unknown or runtime_config.is_config_secret(key))
    given = key if hidden else f"{key} = {detail['input']!r}"
    if unknown:
        why = _GONE.get(str(detail["loc"][0]), f"is not a setting of this program; {model.listed_in} lists them all")
        return f"{given}: {why}"
    return f"{given}: {message}"
