"""What the policy of a KMS key must say that a company brings: ``python -m tools.key_policy --help``."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Final

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from cyclopts import App

from components import arguments
from components.encryption import key_policy
from components.iam import render_policy
from policy.documents import PolicyStatement, read_document

INCOMPLETE: Final = 1
UNREADABLE: Final = 3

_KEY_ARN: Final = re.compile(r"arn:aws:kms:[a-z0-9-]+:\d{12}:key/[\w-]+")

app = App(name="key_policy", help_format="plaintext")


@app.default
def main(name: str, key_arn: str, *, check: bool = False) -> int:
    """Print the statements that the policy of a brought key needs, beside whatever else it says.

    Parameters
    ----------
    name
        Project and stage with a hyphen between, such as file-pipeline-prod.
    key_arn
        The setting kmsKeyArn.
    check
        Read the key's policy, and say what it lacks: exit code 0, 1 if it lacks something, 3 if it cannot be read.
    """
    if not _KEY_ARN.fullmatch(key_arn):
        sys.exit(f"{key_arn!r}: should be the ARN of a key, not of an alias")
    needed = required(name, key_arn)
    if not check:
        sys.stdout.write(json.dumps(needed, indent=2) + "\n")
        return 0
    try:
        text = boto3.client("kms", region_name=key_arn.split(":")[3]).get_key_policy(KeyId=key_arn)["Policy"]
    except (BotoCoreError, ClientError) as error:
        sys.stderr.write(
            f"The policy of {key_arn} cannot be read: {error}\nAsk its owner to compare it with what this command "
            "prints without --check, or sign in as somebody with kms:GetKeyPolicy.\n"
        )
        return UNREADABLE
    lacks = list(missing(needed, text))
    for line in lacks:
        sys.stdout.write(f"{line}\n")
    sys.stdout.write(f"{len(lacks)} missing\n" if lacks else "The policy has all that the stack needs\n")
    return INCOMPLETE if lacks else 0


def required(name: str, key_arn: str) -> Mapping[str, object]:
    """Return the policy that the key of a pipeline needs at least.

    Parameters
    ----------
    name
        The pipeline's name: project and stage.
    key_arn
        The key.
    """
    _, partition, _, region, account, _ = key_arn.split(":", 5)
    return render_policy(key_policy(arguments.log_groups(name), partition=partition, account=account, region=region))


def missing(needed: Mapping[str, object], policy: str) -> Iterator[str]:
    """Yield what a key's policy does not allow of what is needed: a line for each principal and action.

    Parameters
    ----------
    needed
        What `required` returned.
    policy
        The key's policy, as JSON.
    """
    allowed = [statement for statement in read_document(policy) if statement.allows and not statement.negated]
    for statement in read_document(json.dumps(needed)):
        for kind, principals in statement.principals.items():
            for principal in principals:
                for action in statement.actions:
                    if not any(_allows(given, kind, principal, action, statement) for given in allowed):
                        yield f"{statement.sid}: {principal} needs {action}"


def _allows(given: PolicyStatement, kind: str, principal: str, action: str, needed: PolicyStatement) -> bool:
    """Tell whether a statement allows an action, under no condition but what is needed."""
    who = given.principals.get(kind, [])
    return (
        (given.is_for_everybody or principal in who)
        and any(fnmatchcase(action.lower(), pattern.lower()) for pattern in given.actions)
        and all(
            _covers(values, needed.conditions.get(operator, {}).get(key, []))
            for operator, keys in given.conditions.items()
            for key, values in keys.items()
        )
    )


def _covers(values: Sequence[str], needed: Sequence[str]) -> bool:
    return bool(needed) and all(any(fnmatchcase(one, pattern) for pattern in values) for one in needed)


if __name__ == "__main__":
    sys.exit(app())
