"""CodeDeploy's deployments, which shift an alias to a version."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from operate.releases.versions import Versions
from operate.session import LIVE

if TYPE_CHECKING:
    from types_boto3_codedeploy import CodeDeployClient
    from types_boto3_codedeploy.literals import DeploymentStatusType
    from types_boto3_codedeploy.type_defs import DeploymentInfoTypeDef, RevisionLocationTypeDef

POLL_SECONDS: Final = 10.0
_UNDER_WAY: Final[tuple[DeploymentStatusType, ...]] = ("Created", "Queued", "InProgress", "Baking", "Ready")
_SUCCEEDED: Final = "Succeeded"
_ENDED: Final = "DeploymentAlreadyCompletedException"
_BATCH: Final = 25
"""Deployments of one request (CodeDeploy API reference, BatchGetDeployments)."""

_CLOCKS: Final = timedelta(minutes=5)
"""How far the clocks of two services may be apart."""


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """A deployment as it is now.

    Parameters
    ----------
    id, status
        Its id, and CodeDeploy's word for how it stands.
    current, target
        The versions that it shifts from and to; 0 if it does not say so in our words.
    is_rollback
        Whether CodeDeploy made it, to take another back.
    detail
        What CodeDeploy says of its end, and of its rollback.
    rollback_id
        The deployment that rolls it back. Empty: none does.
    """

    id: str
    status: str
    current: int
    target: int
    is_rollback: bool = False
    detail: str = ""
    rollback_id: str = ""

    @property
    def is_under_way(self) -> bool:
        """Whether it has not ended."""
        return self.status in _UNDER_WAY

    @property
    def succeeded(self) -> bool:
        """Whether the alias is where it was to go."""
        return self.status == _SUCCEEDED


class Deployments:
    """The deployments of one application, whose groups are the functions.

    Parameters
    ----------
    client
        The client.
    application
        The application's name.
    sleep
        How seconds are waited.
    """

    def __init__(
        self, client: CodeDeployClient, application: str, sleep: Callable[[float], None] | None = None
    ) -> None:
        self._client = client
        self._application = application
        self._sleep = sleep or time.sleep

    def under_way(self, group: str) -> Deployment | None:
        """Return the group's deployment that has not ended; a group has one at most."""
        answer = self._client.list_deployments(
            applicationName=self._application, deploymentGroupName=group, includeOnlyStatuses=list(_UNDER_WAY)
        )
        found = map(self._get, answer["deployments"])
        return next((deployment for deployment in found if deployment.is_under_way), None)

    def tried(self, versions: Versions) -> Deployment | None:
        """Return the last deployment of a function's newest version; None: it was never tried."""
        since = datetime.fromisoformat(versions.published[versions.newest]) - _CLOCKS
        pages = self._client.get_paginator("list_deployments").paginate(
            applicationName=self._application,
            deploymentGroupName=versions.purpose,
            createTimeRange={"start": since},
        )
        ids = [name for page in pages for name in page["deployments"]]
        found: list[DeploymentInfoTypeDef] = []
        for start in range(0, len(ids), _BATCH):
            batch = ids[start : start + _BATCH]
            found += self._client.batch_get_deployments(deploymentIds=batch)["deploymentsInfo"]
        found.sort(key=lambda one: one["createTime"], reverse=True)
        return next((one for one in map(_read, found) if one.target == versions.newest), None)

    def start(self, versions: Versions) -> str:
        """Begin to shift the alias to the newest version, and return the deployment's id."""
        content = _app_spec(versions)
        return self._client.create_deployment(
            applicationName=self._application,
            deploymentGroupName=versions.purpose,
            revision={
                "revisionType": "AppSpecContent",
                "appSpecContent": {"content": content, "sha256": hashlib.sha256(content.encode()).hexdigest()},
            },
            description=f"{versions.name}: version {versions.live} to {versions.newest}",
        )["deploymentId"]

    def stop(self, deployment_id: str) -> None:
        """Stop a deployment, and have CodeDeploy shift the alias back. One that has ended by now is left as it is."""
        try:
            self._client.stop_deployment(deploymentId=deployment_id, autoRollbackEnabled=True)
        except ClientError as error:
            if error.response["Error"]["Code"] != _ENDED:
                raise

    def follow(self, ids: Mapping[str, str], show: Callable[[str, Deployment], None]) -> dict[str, Deployment]:
        """Wait until deployments have ended, and the rollbacks of those that failed.

        Parameters
        ----------
        ids
            Function → the id of its deployment.
        show
            Is told of each deployment, by its function, each time that it was asked for.
        """
        ended: dict[str, Deployment] = {}
        while True:
            for purpose, deployment_id in ids.items():
                if purpose in ended:
                    continue
                deployment = self._get(deployment_id)
                show(purpose, deployment)
                rolling_back = deployment.rollback_id and self._get(deployment.rollback_id).is_under_way
                if not deployment.is_under_way and not rolling_back:
                    ended[purpose] = deployment
            if len(ended) == len(ids):
                return ended
            self._sleep(POLL_SECONDS)

    def _get(self, deployment_id: str) -> Deployment:
        return _read(self._client.get_deployment(deploymentId=deployment_id)["deploymentInfo"])


def _app_spec(versions: Versions) -> str:
    """Return what to shift (CodeDeploy User Guide, AppSpec 'resources' section for AWS Lambda deployments)."""
    properties = {
        "Name": versions.name,
        "Alias": LIVE,
        "CurrentVersion": str(versions.live),
        "TargetVersion": str(versions.newest),
    }
    resource = {"Type": "AWS::Lambda::Function", "Properties": properties}
    return json.dumps({"version": 0.0, "Resources": [{versions.purpose: resource}]})


def _read(info: DeploymentInfoTypeDef) -> Deployment:
    error, rollback = info.get("errorInformation", {}), info.get("rollbackInfo", {})
    said = [f"{error['code']}: {error.get('message', '')}"] if error.get("code") else []
    said += [rollback["rollbackMessage"]] if rollback.get("rollbackMessage") else []
    current, target = _shifted(info.get("revision", {}))
    return Deployment(
        id=info["deploymentId"],
        status=info["status"],
        current=current,
        target=target,
        is_rollback=info.get("creator") == "codeDeployRollback",
        detail="; ".join(said),
        rollback_id=rollback.get("rollbackDeploymentId", ""),
    )


def _shifted(revision: RevisionLocationTypeDef) -> tuple[int, int]:
    """Return the versions that a revision shifts from and to; zeros if it is not one of ours."""
    content = revision.get("appSpecContent", {}).get("content") or revision.get("string", {}).get("content") or ""
    try:
        (resource,) = json.loads(content)["Resources"]
        (function,) = resource.values()
        properties = function["Properties"]
        return int(properties["CurrentVersion"]), int(properties["TargetVersion"])
    except (ValueError, KeyError, TypeError):
        return 0, 0
