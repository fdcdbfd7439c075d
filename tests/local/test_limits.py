"""What the local cloud does not know or does not read is an error, or said to be so."""

from __future__ import annotations

import pytest
from pulumi.runtime.mocks import MockCallArgs, MockResourceArgs

from local.deploy import EmulatorProvider, NotEmulatedError
from local.limits import NOT_READ
from tests.conftest import declare
from tests.local.conftest import LocalPipeline


def test_what_the_local_cloud_does_not_know_is_an_error(standing: LocalPipeline) -> None:
    provider = EmulatorProvider(standing.stack.cloud, lambda _count: None)

    with pytest.raises(NotEmulatedError, match="the local cloud knows no aws:ec2/vpc:Vpc"):
        provider.new_resource(MockResourceArgs(typ="aws:ec2/vpc:Vpc", name="network", inputs={}))
    with pytest.raises(NotEmulatedError, match="no answer to aws:ec2/getVpc:getVpc"):
        provider.call(MockCallArgs(token="aws:ec2/getVpc:getVpc", args={}, provider=""))


@pytest.mark.parametrize(
    ("kind", "inputs", "ignored"),
    [
        ("aws:sqs/queue:Queue", {"delaySeconds": 1.0, "visibilityTimeoutSeconds": 30.0}, "delaySeconds"),
        (
            "aws:s3/bucketCorsConfiguration:BucketCorsConfiguration",
            {"bucket": "another", "corsRules": [{"allowedMethods": ["GET"], "allowedOrigins": ["*"], "id": "x"}]},
            "corsRules.id",
        ),
    ],
)
def test_a_declared_property_that_nothing_reads_is_an_error(
    standing: LocalPipeline, kind: str, inputs: dict[str, object], ignored: str
) -> None:
    """Or a test of the whole pipeline would pass with and without it."""
    standing.stack.cloud.client("s3").create_bucket(Bucket="another")
    provider = EmulatorProvider(standing.stack.cloud, lambda _count: None)

    with pytest.raises(NotEmulatedError, match=f"the local cloud ignores {ignored} of {kind}"):
        provider.new_resource(MockResourceArgs(typ=kind, name="thing", inputs=inputs))


@pytest.mark.parametrize("kind", NOT_READ)
def test_what_is_said_not_to_be_read_is_declared(kind: str) -> None:
    (declared, *_) = [resource for resource in declare("local").resources if resource.type == kind]

    assert set(NOT_READ[kind]) <= set(declared.inputs)
