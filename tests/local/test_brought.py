"""A stack without the parts that it can go without, and with what a company brings, still brings files to their end."""

from __future__ import annotations

from rich.console import Console

from local.stack import local_stack
from tests.local.conftest import LocalPipeline
from tests.stage_files import STAGES

WITHOUT = {"api": False, "alarms": False, "dashboard": False} | dict.fromkeys(
    (
        *("apiCorsOrigins", "passwordMinLength", "selfSignup", "threatProtection", "testUser", "programClient"),
        "alertEmails",
    )
)
"""Parts that are left out, and what the stage's file says about them."""

BROUGHT = {
    "iamPath": "/pipelines/",
    "tags": ["Team=orders"],
    "subnetIds": ["subnet-0123456789abcdef0"],
    "securityGroupIds": ["sg-0123456789abcdef0"],
    "recordSchemas": "tests/stages/schemas",
    "recordTypes": ["uploads/parcels/=parcel"],
}


def test_a_file_with_a_schema_of_ones_own_ends() -> None:
    with local_stack(Console(quiet=True), folder=STAGES, overrides={**WITHOUT, **BROUGHT}) as stack:
        pipeline = LocalPipeline(stack=stack)

        (item,) = pipeline.final(pipeline.drop("uploads/parcels/a.csv", b"parcel_id,grams\nP-1,200\nP-2,heavy\n"))
        functions = stack.cloud.client("lambda").list_functions()["Functions"]
        role = stack.cloud.client("iam").list_roles(PathPrefix="/pipelines/")["Roles"]

    assert (item["status"], item["records_valid"], item["records_rejected"]) == ("COMPLETED", 1, 1)
    assert {tuple(function["VpcConfig"]["SubnetIds"]) for function in functions} == {("subnet-0123456789abcdef0",)}
    assert len(role) == 3, "two functions and the schedule"
    assert not {"apiEndpoint", "userPoolId", "topicArn", "dashboardUrl"} & set(stack.outputs)
