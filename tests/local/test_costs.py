"""What a file needs on the local cloud is what is committed of it, and `limits` reads a stack there."""

from __future__ import annotations

import json

from operate.capacity.measured import measured
from tests.local.conftest import LocalPipeline
from tests.local.test_operate import operate
from tools.costs.watch import watching


def test_a_file_that_is_only_cataloged_needs_what_is_committed(pipeline: LocalPipeline) -> None:
    """`python -m tools.costs` counts anew."""
    pipeline.final(pipeline.drop("uploads/documents/warm.pdf"))
    pipeline.drained()

    with watching(pipeline.stack) as seen:
        pipeline.final(pipeline.drop("uploads/documents/note.pdf"))
        pipeline.drained()

    for stage in measured().stages.values():
        case = stage.cases["catalogOnly"]
        assert seen.calls["ingest"] == case.functions["ingest"].calls
        assert seen.invocations["ingest"] == case.functions["ingest"].invocations
        assert seen.write_units == case.write_units
        assert seen.table_writes == case.table_writes


def test_limits_compares_a_stack_with_a_rate(pipeline: LocalPipeline) -> None:
    status, result = operate(pipeline, "limits", "--rate", "1000")

    limits = result["limits"]
    assert isinstance(limits, list)
    given = {limit["name"]: limit["given"] for limit in limits}
    assert status == 1
    assert given["ingest functions at once"] == 2, "maxConcurrency of the stage"
    assert result["mostRate"] == 1000 / limits[0]["share"]
    assert json.dumps(result["raise"])
