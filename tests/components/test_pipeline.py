"""What holds for every resource of a stack: names, tags, least privilege, outputs, previews."""

from __future__ import annotations

import json

from tests.declared_stack import DeclaredStack, texts

# Their names count within a bucket, a pool or an API, which are the stage's own.
_NAMED_WITHIN = (":BucketIntelligentTieringConfiguration", ":UserGroup", ":Stage", "lambda/alias:Alias")


def test_everything_goes_through_the_tagging_provider(stack: DeclaredStack) -> None:
    provider = stack.provider()
    tags = json.loads(provider.text("defaultTags"))["tags"]

    assert tags == {
        "Environment": stack.stage,
        "Project": "file-pipeline",
        "ManagedBy": "Pulumi",
        "Owner": "data-platform",
        "CostCenter": f"data-platform-{stack.stage}",
        "Backup": "true" if stack.stage == "prod" else "false",
    }
    for resource in stack.resources:
        if resource.type.startswith("aws:"):
            assert resource.provider.startswith(provider.urn), resource.name
            assert "tags" not in resource.inputs, f"{resource.name}: the default tags are enough"


def test_no_two_stages_share_a_name(dev: DeclaredStack, prod: DeclaredStack) -> None:
    for stack, other in ((dev, prod), (prod, dev)):
        for resource in stack.resources:
            assert resource.name.startswith(f"file-pipeline-{stack.stage}"), resource.name
            for key in ("name", "bucket", "layerName"):
                value = resource.inputs.get(key)
                if isinstance(value, str) and not resource.type.endswith(_NAMED_WITHIN):
                    assert f"file-pipeline-{other.stage}" not in value
                    assert f"file-pipeline-{stack.stage}" in value, (resource.name, key, value)


def test_outputs(stack: DeclaredStack) -> None:
    assert set(stack.outputs) == {
        *("bucketName", "bucketArn", "bucketUrl", "tableName", "ingestFunctionName", "ingestFunctionArn"),
        *("queueUrl", "queueArn", "deadLetterQueueUrl", "topicArn", "keyId", "keyArn", "secretArn", "dashboardUrl"),
        *("apiEndpoint", "apiFunctionName", "apiFunctionArn", "userPoolId", "userPoolClientId"),
        *("reconcileFunctionName", "reconcileScheduleName", "keptVersions", "alarmNames", "alertEmailCount"),
        *(("testUserName", "testUserPassword") if stack.stage == "dev" else ()),
    }
    assert all(isinstance(value, str) and value for value in stack.outputs.values())
    assert stack.outputs["bucketUrl"] == f"s3://{stack.outputs['bucketName']}"


def test_no_role_has_a_wildcard_without_condition(stack: DeclaredStack) -> None:
    policies = stack.all("RolePolicy")
    assert policies
    for policy in policies:
        for sid, statement in policy.statements().items():
            assert statement["Effect"] == "Allow"
            assert not [action for action in texts(statement["Action"]) if "*" in action], (policy.name, sid)
            if "*" in texts(statement["Resource"]):
                assert statement.get("Condition"), (policy.name, sid)


def test_every_policy_names_known_resources(stack: DeclaredStack) -> None:
    """No statement reaches another stage, another account or a resource that is not the stack's."""
    for policy in stack.all("RolePolicy"):
        for statement in policy.statements().values():
            for arn in texts(statement["Resource"]):
                assert arn == "*" or f"file-pipeline-{stack.stage}" in arn, arn


def test_protected_exactly_where_data_is_retained(stack: DeclaredStack) -> None:
    prefix = f"file-pipeline-{stack.stage}"
    data = {f"{prefix}-landing", f"{prefix}-landing-logs", f"{prefix}-catalog-table", f"{prefix}-encryption-key"}
    data.add(f"{prefix}-identity-pool")
    protected = {resource.name for resource in stack.resources if resource.protect}
    kept = {resource.name for resource in stack.resources if resource.retain_on_delete}
    beside_buckets = {r.name for r in stack.resources if r.type.startswith("aws:s3/bucket") and r.name not in data}

    assert protected == (data if stack.stage == "prod" else set())
    # A kept bucket stays private, encrypted and versioned, a kept pool guarded. Events go nowhere without the queue.
    notification, risk = {stack.one("BucketNotification").name}, {f"{prefix}-identity-risk"}
    assert kept == ((data | beside_buckets | risk) - notification if stack.stage == "prod" else set())


def test_no_deprecated_bucket_property_is_used(stack: DeclaredStack) -> None:
    for bucket in stack.all("Bucket"):
        assert set(bucket.inputs) <= {"forceDestroy"}
