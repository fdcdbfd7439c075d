"""``rollback``: puts the alias of functions back to the version before."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from botocore.exceptions import BotoCoreError, ClientError
from cyclopts import Parameter
from rich.prompt import Confirm

from operate.command import ATTENTION, OK, UsageError, if_interrupted
from operate.console import PlainConsole
from operate.releases.deployments import Deployment, Deployments
from operate.releases.versions import Versions, move_alias, read_again, read_versions, starts
from operate.session import CurrentSession, Session


@dataclass(frozen=True, kw_only=True)
class _Change:
    """What becomes of one function.

    Parameters
    ----------
    versions
        Its versions now.
    to
        The version that it goes to; None: there is none.
    running
        The deployment that is stopped first, or, if it is a rollback itself, waited for. None: none is under way.
    obstacle
        Why it is not known which version it could go to.
    """

    versions: Versions
    to: int | None
    running: Deployment | None = None
    obstacle: str = ""

    @property
    def why_not(self) -> str:
        """Why there is no version to go to."""
        if self.obstacle:
            return self.obstacle
        older = any(version < self.versions.live for version in self.versions.published)
        return "no older one starts" if older else "none is older"


@if_interrupted("functions that were not shown as rolled back are as before")
def rollback(
    *names: str,
    every: Annotated[bool, Parameter(name="--all")] = False,
    to: int | None = None,
    yes: bool = False,
    session: CurrentSession,
) -> int:
    """Go back to the version before: code and environment variables. Tables, queues and policies stay as they are.

    Parameters
    ----------
    names
        The functions: ingest, api, reconcile, forward, delivery.
    every
        All functions.
    to
        The version of the one function that is named; default: the last before the live one that can start.
    yes
        Do not ask.
    session
        The stack.

    Returns
    -------
    int
        0 if all of them went back, else 1.
    """
    chosen = _choose(read_versions(session), names, every=every)
    if to is not None and len(chosen) != 1:
        raise UsageError("--to: a version is one function's: name the function")
    application = session.outputs.release_application
    deployments = Deployments(session.codedeploy, application) if application else None
    changes = [_plan_each(session, versions, to, deployments) for versions in chosen]
    session.console.table("Rollback", ("function", "live", "published", "to", "published"), map(_row, changes))
    possible = [change for change in changes if change.to is not None]
    left = ", ".join(f"{change.versions.purpose} ({change.why_not})" for change in changes if change.to is None)
    if left:
        session.console.error(f"There is no version to go back to, left as it is: {left}.")
    if not possible:
        return ATTENTION
    if not yes and not _confirmed():
        session.console.error("Nothing was changed.")
        return ATTENTION
    gone_back = [change for change in possible if _goes_back(session, change, deployments)]
    session.console.result(
        {
            "functions": [
                {"function": c.versions.purpose, "from": c.versions.live, "to": c.to if c in gone_back else None}
                for c in changes
            ]
        }
    )
    return OK if len(gone_back) == len(changes) else ATTENTION


def _choose(functions: Sequence[Versions], names: Sequence[str], *, every: bool) -> list[Versions]:
    if bool(names) is every:
        raise UsageError("name the functions to roll back, or --all")
    known = {versions.purpose: versions for versions in functions}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise UsageError(f"{unknown[0]}: should be one of {', '.join(known)}")
    return list(functions) if every else [known[name] for name in dict.fromkeys(names)]


def _plan_each(session: Session, versions: Versions, to: int | None, deployments: Deployments | None) -> _Change:
    """Plan for one function: what AWS refuses for one keeps no other from going back."""
    try:
        return _plan(session, versions, to, deployments)
    except (ClientError, BotoCoreError) as error:
        session.console.error(f"{versions.purpose}: {error}")
        return _Change(versions=versions, to=None, obstacle="not known, run it again")


def _plan(session: Session, versions: Versions, to: int | None, deployments: Deployments | None) -> _Change:
    running = deployments.under_way(versions.purpose) if deployments else None
    if running and to is None:
        # The alias may name either version by now: the deployment says which was before, if it is one of ours.
        said = running.target if running.is_rollback else running.current
        old = said or (versions.live if versions.weights else 0)
        if old in versions.published:
            return _Change(versions=versions, to=old, running=running)
    if to is not None:
        if to not in versions.published:
            known = ", ".join(map(str, sorted(versions.published)))
            raise UsageError(f"--to {to}: {versions.purpose} has the versions {known}")
        if to == versions.live and not versions.weights and not running:
            raise UsageError(f"--to {to}: this version of {versions.purpose} is live already")
        if not starts(session, versions, to):
            raise UsageError(f"--to {to}: this version of {versions.purpose} does not start")
        return _Change(versions=versions, to=to, running=running)
    before = sorted((version for version in versions.published if version < versions.live), reverse=True)
    back_to = next((old for old in before if starts(session, versions, old)), None)
    return _Change(versions=versions, to=back_to, running=running)


def _row(change: _Change) -> tuple[str, ...]:
    versions = change.versions
    if change.to is None:
        return versions.purpose, str(versions.live), versions.published[versions.live], change.why_not, ""
    way = str(change.to)
    if change.running:
        way += f", {'after the rollback' if change.running.is_rollback else 'stopping'} {change.running.id}"
    published = versions.published
    return versions.purpose, str(versions.live), published[versions.live], way, published[change.to]


def _confirmed() -> bool:
    if not sys.stdin.isatty():
        raise UsageError("nobody can be asked here: --yes rolls back without asking")
    return Confirm.ask("Roll back?", console=PlainConsole(stderr=True), default=False)


def _goes_back(session: Session, change: _Change, deployments: Deployments | None) -> bool:
    """Take one function back; say what AWS refused, and that the others are taken back all the same."""
    try:
        _go_back(session, change, deployments)
    except (ClientError, BotoCoreError) as error:
        session.console.error(f"{change.versions.purpose}: not rolled back, run it again: {error}")
        return False
    return True


def _go_back(session: Session, change: _Change, deployments: Deployments | None) -> None:
    versions = change.versions
    if change.running and deployments:
        if not change.running.is_rollback:
            deployments.stop(change.running.id)
        deployments.follow({versions.purpose: change.running.id}, lambda _purpose, _deployment: None)
        versions = read_again(session, versions)
    if change.to is not None:
        move_alias(session.lambda_, versions, change.to)
        session.console.error(f"{versions.purpose}: version {change.to} is live")
