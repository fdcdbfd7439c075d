"""The API's function in a process of its own, asked once as Lambda's runtime asks it: what is the most that it holds?

Takes the request from standard input, and prints status and peak as JSON. AWS takes every write.
"""

from __future__ import annotations

import json
import resource
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import botocore.client
import msgspec


class Anything(msgspec.Struct):
    """A record type that checks nothing of what it holds: all of it becomes Python objects."""

    more: object = None


@dataclass(frozen=True)
class Context:
    """What Lambda tells a function of its invocation."""

    aws_request_id: str = "8f5ba7a2-0000-4000-8000-000000000000"
    function_name: str = "file-pipeline-dev-api"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:eu-central-1:123456789012:function:file-pipeline-dev-api"

    def get_remaining_time_in_millis(self) -> int:
        return 29_000


def peak() -> int:
    """The most bytes that this process held. Linux counts those of the process that started it, unless asked."""
    status = Path("/proc/self/status")
    if status.is_file():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def main() -> None:
    schema = ModuleType("anything")
    schema.RECORD = Anything  # type: ignore[attr-defined]
    sys.modules["shared.records.schemas.anything"] = schema
    botocore.client.BaseClient._make_api_call = lambda _self, _operation, _parameters: {}  # type: ignore[attr-defined]  # noqa: SLF001 - the one door to AWS
    from api.handler import handler  # noqa: PLC0415 - it reads its environment

    answer = handler(json.loads(sys.stdin.buffer.read()), Context())  # type: ignore[arg-type]  # what of it is read
    body = json.dumps(answer).encode()
    json.dump({"status": answer["statusCode"], "bytes": len(body), "peak": peak()}, sys.stderr)


if __name__ == "__main__":
    main()
