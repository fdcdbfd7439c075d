"""``release``: takes the alias of each function to its newest version, or says that it is there, and tidies up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

from operate.command import ATTENTION, OK, if_interrupted
from operate.releases.deployments import Deployment, Deployments
from operate.releases.versions import Versions, delete_superfluous, move_alias, read_again, read_versions, starts
from operate.session import CurrentSession, Session

_WHOLE: Final = 100


@if_interrupted("deployments that were started go on; `release` follows them to their end")
def release(*, again: bool = False, session: CurrentSession) -> int:
    """Release the newest version of each function.

    Where releases shift step by step, it starts CodeDeploy's deployments and follows them. Where the update moves the
    alias at once, it checks that it did. A version that was tried before, or rolled back, is left as it is. Then it
    deletes old versions, but keptVersions of each function.

    Parameters
    ----------
    again
        Also release versions that were tried before, or rolled back.
    session
        The stack.

    Returns
    -------
    int
        0 if every function is called in its newest version, else 1.
    """
    application = session.outputs.release_application
    if application:
        said = _shift(session, Deployments(session.codedeploy, application), again=again)
    else:
        said = _move(session, again=again)
    after = read_versions(session)
    deleted = {
        versions.purpose: delete_superfluous(session, versions, session.outputs.kept_versions)
        for versions in after
        if versions.is_released
    }
    _report(session, after, said, deleted)
    return OK if all(versions.is_released for versions in after) else ATTENTION


def _move(session: Session, *, again: bool) -> dict[str, str]:
    """Move the alias at once where it is asked for; return what is to be said of each function."""
    said: dict[str, str] = {}
    for versions in read_versions(session):
        try:
            _mend(session, versions)
            if not again or versions.live == versions.newest:
                continue
            if starts(session, versions, versions.newest):
                move_alias(session.lambda_, read_again(session, versions), versions.newest)
            else:
                said[versions.purpose] = f"version {versions.newest} does not start"
        except (ClientError, BotoCoreError) as error:
            said[versions.purpose] = f"not released, run `release` again: {error}"
    return said


def _shift(session: Session, deployments: Deployments, *, again: bool) -> dict[str, str]:
    """Shift what is to be shifted; return what is to be said of each function."""
    before = read_versions(session)
    _await_others(session, deployments, before)
    said: dict[str, str] = {}
    started: dict[str, str] = {}
    for versions in before:
        try:
            begun = _begin(session, deployments, versions, again=again)
        except (ClientError, BotoCoreError) as error:
            said[versions.purpose] = f"not released, run `release` again: {error}"
            continue
        if begun.deployment_id:
            started[versions.purpose] = begun.deployment_id
        elif begun.obstacle:
            said[versions.purpose] = begun.obstacle
    for purpose, deployment in _follow(session, deployments, before, started).items():
        outcome = "released" if deployment.succeeded else f"{deployment.status.lower()}, rolled back"
        said[purpose] = ": ".join(filter(None, (f"{outcome} ({deployment.id})", deployment.detail)))
    return said


@dataclass(frozen=True, kw_only=True)
class _Begun:
    """How a function's release began.

    Parameters
    ----------
    deployment_id
        The deployment that shifts to its newest version. Empty: none does.
    obstacle
        Why none does. Empty: it is there.
    """

    deployment_id: str = ""
    obstacle: str = ""


def _await_others(session: Session, deployments: Deployments, functions: Sequence[Versions]) -> None:
    """Wait for deployments that are under way to other versions than the newest: one ends before the next begins."""
    while True:
        others: dict[str, str] = {}
        for versions in functions:
            running = deployments.under_way(versions.purpose)
            if running and running.target != versions.newest:
                others[versions.purpose] = running.id
                what = "rollback" if running.is_rollback else "deployment"
                session.console.error(
                    f"{versions.purpose}: the {what} {running.id} to version {running.target} is under way: its end "
                    "is waited for"
                )
        if not others:
            return
        _follow(session, deployments, functions, others)


def _begin(session: Session, deployments: Deployments, versions: Versions, *, again: bool) -> _Begun:
    """Start what takes a function to its newest version, or find it under way."""
    running = deployments.under_way(versions.purpose)
    if running:
        return _Begun(deployment_id=running.id)
    # One that was under way when the alias was read may have ended since.
    versions = read_again(session, versions)
    _mend(session, versions)
    if versions.live == versions.newest:
        return _Begun()
    tried = None if again else deployments.tried(versions)
    if tried:
        return _Begun(obstacle=_explain_tried(tried))
    if not starts(session, versions, versions.newest):
        return _Begun(obstacle=f"version {versions.newest} does not start")
    return _Begun(deployment_id=deployments.start(versions))


def _mend(session: Session, versions: Versions) -> None:
    """Take a share of the calls back from a version to which no deployment shifts any more."""
    if versions.weights:
        move_alias(session.lambda_, versions, versions.live)
        shares = ", ".join(f"{weight:.0%} to version {version}" for version, weight in versions.weights.items())
        session.console.error(
            f"{versions.purpose}: a deployment was stopped on its way ({shares}); all calls go to version "
            f"{versions.live} again"
        )


def _follow(
    session: Session, deployments: Deployments, before: Sequence[Versions], started: dict[str, str]
) -> dict[str, Deployment]:
    if not started:
        return {}
    names = {versions.purpose: versions.name for versions in before}
    shown: dict[str, str] = {}
    with session.console.progress() as bars:
        tasks = {purpose: bars.add_task(f"Shifting {purpose}", total=_WHOLE) for purpose in started}

        def show(purpose: str, deployment: Deployment) -> None:
            alias = session.live_alias(names[purpose])
            weights = alias.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})
            share = 1.0 if alias["FunctionVersion"] == str(deployment.target) else sum(weights.values())
            bars.update(tasks[purpose], completed=round(_WHOLE * share))
            line = f"{purpose}: {deployment.status}, {share:.0%} on version {deployment.target} ({deployment.id})"
            if shown.get(purpose) != line:
                shown[purpose] = line
                session.console.error(line)

        return deployments.follow(started, show)


def _explain_tried(tried: Deployment) -> str:
    outcome = "was rolled back" if tried.succeeded else f"was tried before, {tried.status.lower()}"
    return f"version {tried.target} {outcome} ({tried.id}); `release --again` releases it"


def _explain_left(versions: Versions) -> str:
    return (
        f"version {versions.newest} is not live: rolled back, or its update did not end; `release --again` releases it"
    )


def _report(session: Session, after: Sequence[Versions], said: dict[str, str], deleted: dict[str, list[int]]) -> None:
    rows = []
    for versions in after:
        default = "released" if versions.is_released else _explain_left(versions)
        rows.append((versions, said.get(versions.purpose, default), deleted.get(versions.purpose, [])))
    console = session.console
    console.result(
        {
            "functions": [
                {
                    "function": versions.purpose,
                    "live": versions.live,
                    "newest": versions.newest,
                    "released": versions.is_released,
                    "outcome": outcome,
                    "deleted": gone,
                }
                for versions, outcome, gone in rows
            ]
        }
    )
    console.table(
        "Release",
        ("function", "live", "newest", "outcome", "deleted"),
        [
            (versions.purpose, str(versions.live), str(versions.newest), outcome, ", ".join(map(str, gone)))
            for versions, outcome, gone in rows
        ],
    )
