"""What a stack exports of its pipeline."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi

if TYPE_CHECKING:
    from components.pipeline import Pipeline
    from components.settings import Settings


def pipeline_outputs(pipeline: Pipeline, settings: Settings) -> dict[str, pulumi.Output[str]]:
    """Return what a stack exports of its pipeline: output name → value."""
    bucket = pipeline.landing.bucket
    outputs: dict[str, pulumi.Output[str]] = {
        "bucketName": bucket.id,
        "bucketArn": bucket.arn,
        "bucketUrl": pulumi.Output.concat("s3://", bucket.id),
        "tableName": pipeline.catalog.table.name,
        "ingestFunctionName": pipeline.ingest.function.name,
        "ingestFunctionArn": pipeline.ingest.function.arn,
        "queueUrl": pipeline.intake.queue.url,
        "queueArn": pipeline.intake.queue.arn,
        "deadLetterQueueUrl": pipeline.intake.dead_letters.url,
        # Of a key's ARN, the id is what stands behind the last slash.
        "keyId": pipeline.encryption.key.key_id if pipeline.encryption else pipeline.key_arn.apply(_last_part),
        "keyArn": pipeline.key_arn,
        "secretArn": pipeline.secret.secret.arn,
        "keptVersions": pulumi.Output.from_input(str(settings.kept_versions)),
        **_api_outputs(pipeline),
    }
    if pipeline.delivery is not None:
        outputs["forwardFunctionName"] = pipeline.delivery.forward_function.name
        outputs["forwardFunctionArn"] = pipeline.delivery.forward_function.arn
        outputs["deliveryQueueUrl"] = pipeline.delivery.queue.url
        outputs["deliveryQueueArn"] = pipeline.delivery.queue.arn
        outputs["deliveryFunctionName"] = pipeline.delivery.function.name
        outputs["deliveryFunctionArn"] = pipeline.delivery.function.arn
        outputs["deliveryDeadLetterQueueUrl"] = pipeline.delivery.dead_letters.url
    if pipeline.releases is not None:
        outputs["releaseApplicationName"] = pipeline.releases.application.name
    if pipeline.reconciliation is not None:
        outputs["reconcileFunctionName"] = pipeline.reconciliation.function.name
        outputs["reconcileScheduleName"] = pipeline.reconciliation.schedule.name
    if pipeline.monitoring is not None:
        outputs["topicArn"] = pipeline.monitoring.topic.arn
        outputs["alarmNames"] = pipeline.monitoring.alarm_names
        outputs["alertEmailCount"] = pulumi.Output.from_input(str(len(settings.alert_emails)))
    if pipeline.dashboard is not None:
        outputs["dashboardUrl"] = pipeline.dashboard.url
    return outputs


def _api_outputs(pipeline: Pipeline) -> dict[str, pulumi.Output[str]]:
    outputs: dict[str, pulumi.Output[str]] = {}
    if pipeline.gateway is not None and pipeline.api is not None:
        outputs["apiEndpoint"] = pipeline.gateway.api.api_endpoint
        outputs["apiFunctionName"] = pipeline.api.function.name
        outputs["apiFunctionArn"] = pipeline.api.function.arn
    identity = pipeline.identity
    if identity is None:
        return outputs
    outputs["userPoolId"], outputs["userPoolClientId"] = identity.pool.id, identity.client.id
    if identity.test_user is not None and identity.test_password is not None:
        outputs["testUserName"] = identity.test_user.username
        outputs["testUserPassword"] = identity.test_password
    if identity.programs is not None:
        outputs["programClientId"] = identity.programs.client_id
        outputs["programClientSecret"] = identity.programs.client_secret
        outputs["tokenUrl"] = identity.programs.token_url
    return outputs


def _last_part(arn: str) -> str:
    return arn.rpartition("/")[2]
