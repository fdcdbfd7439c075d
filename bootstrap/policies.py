"""What each role of a deployment may do, from the table of rights: plain statements, known where all names are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bootstrap.rights import TABLES
from bootstrap.rights.commands import CHECK, RELEASE
from bootstrap.rights.model import CHANGES, READS, Kind, Place, statements
from components.iam import Conditions, Statement

STATE_FOLDER: Final = ".pulumi"
"""Where a bucket holds Pulumi's state."""

META_KEY: Final = f"{STATE_FOLDER}/meta.yaml"
"""The object by which Pulumi knows its state's layout."""

_WRITTEN_FOLDERS: Final = ("backups", "history", "locks/organization", "stacks")
"""Where an update writes: ``locks`` while it runs, ``stacks`` the state, the others what was before."""


_USE_KEYS: Final = ("dynamodb", "lambda", "s3", "secretsmanager", "sqs")
"""Services that use a stage's key in the caller's name."""

_BOUND_ACTIONS: Final = ("AttachRolePolicy", "CreateRole", "PutRolePermissionsBoundary", "PutRolePolicy")
"""What could give a role more than the boundary lets it have, for which AWS says which boundary the role has."""

_TAG_ACTIONS: Final = ("apigateway:*", "cognito-idp:TagResource", "cognito-idp:UpdateUserPool", "kms:TagResource")
"""What gives tags to what is the stage's by its tags."""


@dataclass(frozen=True, kw_only=True)
class StatePlace:
    """Where the state of a stage is.

    Parameters
    ----------
    bucket_arn, key_arn
        The bucket of all states, and its key.
    secrets_key_arn
        The key of the secrets in this stage's state.
    """

    bucket_arn: str
    key_arn: str
    secrets_key_arn: str


Policies = Mapping[str, Sequence[Statement]]
"""Name of a managed policy → its statements."""


def preview_policies(place: Place, state: StatePlace) -> Policies:
    """Return what previews a stage: it reads the state and what the program declares, and no secret but the state's."""
    return {**_allow(place, Kind.READ), "state": _read_state(place, state)}


def drift_policies(place: Place, state: StatePlace, kms_key_arns: Sequence[str]) -> Policies:
    """Return what compares a stage with its state: what previews, and reading the secrets that it compares."""
    brought = [_brought_keys(place, kms_key_arns, ["kms:Decrypt"])] if kms_key_arns else []
    return {**_allow(place, *READS), "state": [*_read_state(place, state), *brought]}


def check_policies(place: Place, state: StatePlace, kms_key_arns: Sequence[str]) -> Policies:
    """Return what checks a stage: it reads the outputs in the state, and sends a file of its own through the stage."""
    use = ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"]
    brought = [_brought_keys(place, kms_key_arns, use)] if kms_key_arns else []
    return {"state": _read_state(place, state), "commands": [*statements(CHECK, place, *Kind), *brought]}


def deploy_policies(
    place: Place, state: StatePlace, kms_key_arns: Sequence[str], *, own_names: Sequence[str], destroyable: bool
) -> Policies:
    """Return what deploys a stage.

    Parameters
    ----------
    place, state
        The stage, and its state.
    kms_key_arns
        Keys that the stage's settings may bring.
    own_names
        Roles, policies and identity provider that no deployment may change: ARNs, or patterns.
    destroyable
        Whether it may delete the objects of the stage's buckets.
    """
    kinds = (*CHANGES, *READS, *([Kind.EMPTY] if destroyable else []))
    use = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"]
    brought = [_brought_keys(place, kms_key_arns, use), *_brought_grants(kms_key_arns)] if kms_key_arns else []
    return {
        **_allow(place, *kinds),
        "state": [*_read_state(place, state), *_write_state(place, state), *brought],
        "commands": statements({**RELEASE, **CHECK}, place, *Kind),
        "limits": _never(place, own_names),
    }


def _allow(place: Place, *kinds: Kind) -> Policies:
    return {name: statements(table, place, *kinds) for name, table in TABLES.items()}


def _read_state(place: Place, state: StatePlace) -> list[Statement]:
    folder = f"{state.bucket_arn}/{STATE_FOLDER}"
    return [
        # Without it, S3 answers 403 to whoever asks for what is not there. It shows the names of all objects.
        Statement(sid="ListState", actions=["s3:ListBucket"], resources=[state.bucket_arn]),
        Statement(
            sid="ReadState",
            actions=["s3:GetObject"],
            resources=[f"{state.bucket_arn}/{META_KEY}", f"{folder}/stacks/{place.project}/{place.stage}.*"],
        ),
        Statement(
            sid="DecryptState",
            actions=["kms:Decrypt"],
            resources=[state.key_arn],
            conditions=_through_s3(place),
        ),
        Statement(sid="DecryptSecrets", actions=["kms:Decrypt"], resources=[state.secrets_key_arn]),
    ]


def _write_state(place: Place, state: StatePlace) -> list[Statement]:
    written = [
        f"{state.bucket_arn}/{STATE_FOLDER}/{folder}/{place.project}/{place.stage}{rest}"
        for folder in _WRITTEN_FOLDERS
        for rest in ([".*"] if folder == "stacks" else ["/*"])
    ]
    return [
        Statement(sid="WriteState", actions=["s3:DeleteObject", "s3:GetObject", "s3:PutObject"], resources=written),
        Statement(
            sid="EncryptState",
            actions=["kms:GenerateDataKey"],
            resources=[state.key_arn],
            conditions=_through_s3(place),
        ),
        Statement(sid="EncryptSecrets", actions=["kms:Encrypt"], resources=[state.secrets_key_arn]),
    ]


def _through_s3(place: Place) -> Conditions:
    return {"StringEquals": {"kms:ViaService": f"s3.{place.region}.amazonaws.com"}}


def _brought_keys(place: Place, kms_key_arns: Sequence[str], actions: Sequence[str]) -> Statement:
    services = [f"{service}.{place.region}.amazonaws.com" for service in _USE_KEYS]
    return Statement(
        sid="BroughtKeys",
        actions=actions,
        resources=kms_key_arns,
        conditions={"StringEquals": {"kms:ViaService": services}},
    )


def _brought_grants(kms_key_arns: Sequence[str]) -> list[Statement]:
    conditions: Conditions = {"Bool": {"kms:GrantIsForAWSResource": "true"}}
    return [
        Statement(sid="BroughtKeyGrants", actions=["kms:CreateGrant"], resources=kms_key_arns, conditions=conditions)
    ]


def _never(place: Place, own_names: Sequence[str]) -> list[Statement]:
    """Deny what would take the limits off, whatever another policy allows."""
    return [
        Statement(sid="NeverTheBootstrap", effect="Deny", actions=["iam:*"], resources=own_names),
        Statement(
            sid="NeverWithoutBoundary", effect="Deny", actions=["iam:DeleteRolePermissionsBoundary"], resources=["*"]
        ),
        Statement(
            sid="NeverAnotherBoundary",
            effect="Deny",
            actions=[f"iam:{action}" for action in _BOUND_ACTIONS],
            resources=["*"],
            conditions={"StringNotEquals": {"iam:PermissionsBoundary": place.boundary_arn}},
        ),
        # Whoever may tag an API or a key could take another stage's for its own, or give its own away.
        Statement(
            sid="NeverAnotherStages",
            effect="Deny",
            actions=["apigateway:*", "kms:TagResource", "kms:UntagResource"],
            resources=["*"],
            conditions=_another("aws:ResourceTag/Environment", place.stage),
        ),
        Statement(
            sid="NeverToAnotherStage",
            effect="Deny",
            actions=_TAG_ACTIONS,
            resources=["*"],
            conditions=_another("aws:RequestTag/Environment", place.stage),
        ),
        Statement(
            sid="NeverToAnotherProject",
            effect="Deny",
            actions=_TAG_ACTIONS,
            resources=["*"],
            conditions=_another("aws:RequestTag/Project", place.project),
        ),
    ]


def _another(key: str, value: str) -> Conditions:
    """Return the conditions under which a request says something else: one that does not say it is not meant."""
    return {"StringNotEquals": {key: value}, "Null": {key: "false"}}
