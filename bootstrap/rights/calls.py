"""What the program asks of its provider without declaring it, and what the workflow runs beside Pulumi."""

from __future__ import annotations

from typing import Final

from bootstrap.rights.model import Rights, Table, Target

_PASSWORD: Final = Target(
    sid="RandomPassword",
    service="secretsmanager",
    arns=("*",),
    conditions={"StringEquals": {"aws:RequestedRegion": ("{region}",)}},
    why="AWS has no resource for it",
)

CALLS: Final[Table] = {
    "aws:secretsmanager/getRandomPassword:getRandomPassword": (Rights(on=_PASSWORD, read="GetRandomPassword"),),
}
"""Functions of the provider, by Pulumi's name. Those that are not here ask for no permission: who and where it is."""

FREE_CALLS: Final = frozenset(
    {"aws:index/getCallerIdentity:getCallerIdentity", "aws:index/getPartition:getPartition"}
    | {"aws:index/getRegion:getRegion"}
)
"""Functions of the provider that anybody may call."""
