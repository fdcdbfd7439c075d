"""``make local``: the local cloud until Ctrl-C, and what to try on it."""

from __future__ import annotations

import contextlib
import json
import shlex
import signal
from typing import Final

from rich.console import Console
from rich.text import Text

from local.api import sign_in
from local.report import print_limits, print_outputs
from local.stack import STAGE, LocalStack, local_stack
from shared.catalog.table import latest_key

_RECORD: Final = {"shipment_id": "SHP-1", "status": "delivered", "timestamp": "2026-11-20T08:15:00+01:00"}

PREFERRED_PORT: Final = 4566
"""Where Pulumi.local.yaml's endpoints point, so that ``pulumi up -s local`` finds it."""


def run(console: Console) -> int:
    """Keep the stack running until it is interrupted.

    Returns
    -------
    int
        0.
    """
    with local_stack(console, preferred_port=PREFERRED_PORT) as stack:
        print_outputs(console, stack.outputs)
        print_limits(console, stack.resources)
        console.print(Text.assemble("\n", ("To try", "bold"), ", in another terminal, in this folder:\n"))
        # Plain text, never wrapped: it must survive being pasted.
        console.print("\n".join(commands(stack)), highlight=False, markup=False, soft_wrap=True)
        console.print("\nCtrl-C stops it.")
        with contextlib.suppress(KeyboardInterrupt):
            signal.pause()
    console.print("\nStopped: nothing is left running, and nothing on disk but build/.")
    return 0


def commands(stack: LocalStack) -> list[str]:
    """Return shell commands that work as pasted, with the AWS CLI."""
    bucket, table, queue = (stack.outputs[name] for name in ("bucketName", "tableName", "deadLetterQueueUrl"))
    key = "uploads/shipments/2026-11-20.csv"
    latest = json.dumps(latest_key(bucket, key))
    skipped = json.dumps({":shard": {"S": "SKIPPED#0"}})
    exports = [f"export {name}={shlex.quote(value)}" for name, value in stack.environment().items()]
    scan = (
        f"aws dynamodb scan --table-name {table} --filter-expression 'attribute_exists(#s)'"
        """ --expression-attribute-names '{"#s": "status"}'"""
        " --query 'Items[].[key.S, status.S, reason.S]' --output table"
    )
    query = (
        f"aws dynamodb query --table-name {table} --index-name by-status --no-scan-index-forward"
        f" --key-condition-expression 'status_shard = :shard' --expression-attribute-values {shlex.quote(skipped)}"
        " --query 'Items[].[processed_at.S, key.S, reason.S]' --output table"
    )
    logs = (
        f"aws logs filter-log-events --log-group-name /aws/lambda/{stack.project}-{STAGE}-ingest"
        " --query 'events[].message' --output text"
    )
    token = (
        f"export TOKEN=$(aws cognito-idp initiate-auth --client-id {stack.outputs['userPoolClientId']}"
        " --auth-flow USER_PASSWORD_AUTH --auth-parameters"
        f" USERNAME={stack.outputs['testUserName']},PASSWORD={shlex.quote(stack.outputs['testUserPassword'])}"
        " --query AuthenticationResult.AccessToken --output text)"
    )
    curl = 'curl --silent --show-error --cacert "$AWS_CA_BUNDLE" --header "Authorization: Bearer $TOKEN"'
    endpoint = stack.outputs["apiEndpoint"]
    record = json.dumps({"data": [_RECORD, {"status": "lost"}]})
    send = f"{curl} --json {shlex.quote(record)}"
    return [
        *exports,
        "",
        "# drop files into the bucket",
        f"aws s3 cp --recursive samples/ s3://{bucket}/ --exclude '*' --include 'uploads/*'",
        "",
        "# the state of every file",
        scan,
        "",
        "# by status, newest first",
        query,
        "",
        "# the latest version of a key",
        f"aws dynamodb get-item --table-name {table} --key {shlex.quote(latest)}",
        "",
        "# what the function logged, and what it could not process",
        logs,
        ".venv/bin/python -m operate status",
        ".venv/bin/python -m operate check",
        ".venv/bin/python -m operate limits --rate 100",
        ".venv/bin/python -m operate release",
        ".venv/bin/python -m operate rollback ingest",
        f".venv/bin/python -m operate show {key}",
        f"aws sqs receive-message --endpoint-url $AWS_ENDPOINT_URL --queue-url {queue} --message-attribute-names All",
        "",
        "# the API: a token for an hour, or this one, and requests",
        token,
        f"export TOKEN={sign_in(stack, stack.outputs['testUserName'], stack.outputs['testUserPassword'])}",
        f"{curl} {shlex.quote(endpoint + '/files?limit=3')}",
        f"{send} {shlex.quote(endpoint + '/validate')}",
        f"{send} {shlex.quote(endpoint + '/process')}",
    ]
