"""The roles of one stage: they preview it, look for drift, check it, and deploy it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
import pulumi_aws as aws

from bootstrap.boundary import boundary_statements
from bootstrap.identity import trust
from bootstrap.policies import Policies, StatePlace, check_policies, deploy_policies, drift_policies, preview_policies
from bootstrap.rights import TABLES
from bootstrap.rights.model import Place
from bootstrap.state import State, secrets_key
from components.account import Account
from components.iam import render_policy

_READER: Final = (*TABLES, "state")
_CHECKER: Final = ("state", "commands")
_DEPLOYER: Final = (*_READER, "commands", "limits")


@dataclass(frozen=True, kw_only=True)
class StageRolesArgs:
    """One stage, and who may take its roles.

    Parameters
    ----------
    pipeline, stage
        What the names of the stage's resources begin with.
    own_prefix
        What the names begin with that no deployment may change.
    state
        Where its state is.
    provider_arn, subject, repository_id
        GitHub's identity provider, and the repository: see `bootstrap.identity.trust`.
    iam_path
        Path of the names of the stage's roles.
    kms_key_arns
        Keys that the stage's settings may bring.
    destroyable
        Whether its deploy role may delete the objects in its buckets.
    """

    pipeline: str
    stage: str
    own_prefix: str
    state: State
    provider_arn: pulumi.Input[str]
    subject: str
    repository_id: str
    iam_path: str = "/"
    kms_key_arns: Sequence[str] = ()
    destroyable: bool = False


_SESSION_SECONDS: Final = 2 * 60 * 60
"""The longest a role is assumed for: the slowest release takes 90 minutes, and an update comes before it."""


class StageRoles(pulumi.ComponentResource):
    """The roles of one stage, the limit of those that it makes, and the key of the secrets in its state.

    Attributes
    ----------
    preview, drift, check, deploy
        The roles.
    boundary
        The policy that limits every role of the stage.
    secrets_key
        The key.
    """

    def __init__(self, name: str, args: StageRolesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("bootstrap:index:StageRoles", name, None, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        account = Account(self)
        self.secrets_key = secrets_key(f"{name}-secrets", f"Secrets in the state of {args.stage}", self)
        self._known = pulumi.Output.all(
            partition=account.partition,
            account=account.id,
            region=account.region,
            bucket_arn=args.state.bucket.arn,
            key_arn=args.state.key.arn,
            secrets_key_arn=self.secrets_key.arn,
        )
        boundary = f"{name}-boundary"
        self.boundary = aws.iam.Policy(
            boundary,
            name=boundary,
            description=f"The most that a role of {args.pipeline}-{args.stage} may do",
            policy=self._document(lambda place, _: {boundary: boundary_statements(place)}, boundary),
            opts=self._child,
        )
        self.preview = self._role("preview", f"preview-{args.stage}", _READER, preview_policies)
        self.drift = self._role("drift", f"drift-{args.stage}", _READER, self._drift)
        self.check = self._role("check", f"check-{args.stage}", _CHECKER, self._check)
        self.deploy = self._role("deploy", args.stage, _DEPLOYER, self._deploy)
        self.register_outputs({"previewRoleArn": self.preview.arn, "deployRoleArn": self.deploy.arn})

    def _drift(self, place: Place, state: StatePlace) -> Policies:
        return drift_policies(place, state, self._args.kms_key_arns)

    def _check(self, place: Place, state: StatePlace) -> Policies:
        return check_policies(place, state, self._args.kms_key_arns)

    def _deploy(self, place: Place, state: StatePlace) -> Policies:
        own = f"arn:{place.partition}:iam::{place.account}:"
        names = [f"{own}{kind}/{self._args.own_prefix}-*" for kind in ("role", "policy")]
        return deploy_policies(
            place,
            state,
            self._args.kms_key_arns,
            own_names=[*names, f"{own}oidc-provider/*"],
            destroyable=self._args.destroyable,
        )

    def _role(
        self,
        purpose: str,
        environment: str,
        policies: Sequence[str],
        make: Callable[[Place, StatePlace], Policies],
    ) -> aws.iam.Role:
        args, name = self._args, f"{self._name}-{purpose}"
        role = aws.iam.Role(
            name,
            name=name,
            description=f"What GitHub's environment {environment} may do",
            assume_role_policy=trust(
                args.provider_arn,
                subject=args.subject,
                repository_id=args.repository_id,
                environment=environment,
            ),
            max_session_duration=_SESSION_SECONDS,
            opts=self._child,
        )
        for part in policies:
            policy = aws.iam.Policy(
                f"{name}-{part}", name=f"{name}-{part}", policy=self._document(make, part), opts=self._child
            )
            aws.iam.RolePolicyAttachment(
                f"{name}-{part}-attachment", role=role.name, policy_arn=policy.arn, opts=self._child
            )
        return role

    def _document(self, make: Callable[[Place, StatePlace], Policies], part: str) -> pulumi.Output[str]:
        def render(known: dict[str, str]) -> str:
            place = Place(
                partition=known["partition"],
                account=known["account"],
                region=known["region"],
                project=self._args.pipeline,
                stage=self._args.stage,
                boundary_arn=f"arn:{known['partition']}:iam::{known['account']}:policy/{self._name}-boundary",
                iam_path=self._args.iam_path,
            )
            state = StatePlace(
                bucket_arn=known["bucket_arn"], key_arn=known["key_arn"], secrets_key_arn=known["secrets_key_arn"]
            )
            return json.dumps(render_policy(make(place, state)[part]))

        return self._known.apply(render)
