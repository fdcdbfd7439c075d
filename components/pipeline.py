"""The whole pipeline: the only file that knows all components."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pulumi
import pulumi_aws as aws

from components.account import Account
from components.api import Api
from components.catalog import Catalog
from components.delivery import Delivery
from components.encryption import Encryption
from components.identity import Identity
from components.ingest import Ingest
from components.intake import Intake
from components.landing import Landing
from components.observability.alarms import Watched
from components.observability.dashboard import Dashboard
from components.observability.monitoring import Monitoring
from components.packaging import ARCHITECTURE, MAX_UNZIPPED_BYTES, RUNTIME, Archive, build_function, build_layer
from components.provider import stack_provider
from components.reconciliation import Reconciliation
from components.secret import Secret
from components.settings import StackSettings

SOURCE = Path("lambda_src")
BUILD = Path("build")
FUNCTIONS = ("ingest", "api", "forward", "delivery", "reconcile")


class Pipeline(pulumi.ComponentResource):
    """Everything of one stack, named ``project-stage-…``.

    Parameters
    ----------
    stack
        The stack's checked settings.

    Attributes
    ----------
    outputs
        What the stack exports: output name → value.
    """

    def __init__(self, stack: StackSettings, *, opts: pulumi.ResourceOptions | None = None) -> None:
        provider = stack_provider(stack)
        options = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(providers=[provider]))
        super().__init__("pipeline:index:Pipeline", stack.prefix, None, options)
        child = pulumi.ResourceOptions(parent=self)
        account = Account.of(provider)
        layer, codes = _build(stack)

        encryption = Encryption(f"{stack.prefix}-encryption", stack=stack, account=account, opts=child)
        landing = Landing(f"{stack.prefix}-landing", stack=stack, account=account, encryption=encryption, opts=child)
        intake = Intake(
            f"{stack.prefix}-intake", stack=stack, account=account, encryption=encryption, landing=landing, opts=child
        )
        catalog = Catalog(f"{stack.prefix}-catalog", stack=stack, encryption=encryption, opts=child)
        shared_layer = aws.lambda_.LayerVersion(
            f"{stack.prefix}-layer",
            layer_name=f"{stack.prefix}-shared",
            code=pulumi.FileArchive(layer.path),
            source_code_hash=layer.sha256_base64,
            compatible_runtimes=[RUNTIME],
            compatible_architectures=[ARCHITECTURE],
            opts=child,
        )
        ingest = Ingest(
            f"{stack.prefix}-ingest",
            stack=stack,
            account=account,
            encryption=encryption,
            landing=landing,
            intake=intake,
            catalog=catalog,
            code=codes["ingest"],
            layer_arn=shared_layer.arn,
            opts=child,
        )
        identity = Identity(f"{stack.prefix}-identity", stack=stack, opts=child)
        api = Api(
            f"{stack.prefix}-api",
            stack=stack,
            account=account,
            encryption=encryption,
            landing=landing,
            catalog=catalog,
            identity=identity,
            code=codes["api"],
            layer_arn=shared_layer.arn,
            opts=child,
        )
        secret = Secret(f"{stack.prefix}-secret", stack=stack, encryption=encryption, provider=provider, opts=child)
        delivery = (
            Delivery(
                f"{stack.prefix}-delivery",
                stack=stack,
                account=account,
                encryption=encryption,
                catalog=catalog,
                secret=secret,
                forward_code=codes["forward"],
                code=codes["delivery"],
                layer_arn=shared_layer.arn,
                opts=child,
            )
            if stack.settings.delivery_endpoint
            else None
        )
        reconciliation = (
            Reconciliation(
                f"{stack.prefix}-reconcile",
                stack=stack,
                account=account,
                encryption=encryption,
                landing=landing,
                intake=intake,
                catalog=catalog,
                code=codes["reconcile"],
                layer_arn=shared_layer.arn,
                opts=child,
            )
            if stack.settings.reconciliation_hours
            else None
        )
        functions = _watched(stack, ingest, api, delivery, reconciliation)
        monitoring = Monitoring(
            f"{stack.prefix}-monitoring",
            stack=stack,
            account=account,
            encryption=encryption,
            intake=intake,
            catalog=catalog,
            api=api,
            functions=functions,
            delivery=delivery,
            opts=child,
        )
        dashboard = Dashboard(
            f"{stack.prefix}-dashboard",
            stack=stack,
            account=account,
            intake=intake,
            catalog=catalog,
            api=api,
            functions=functions,
            delivery=delivery,
            opts=child,
        )
        self.outputs: dict[str, pulumi.Output[str]] = {
            "bucketName": landing.bucket.id,
            "bucketArn": landing.bucket.arn,
            "bucketUrl": pulumi.Output.concat("s3://", landing.bucket.id),
            "tableName": catalog.table.name,
            "ingestFunctionName": ingest.function.name,
            "ingestFunctionArn": ingest.function.arn,
            "apiEndpoint": api.api.api_endpoint,
            "apiFunctionName": api.function.name,
            "apiFunctionArn": api.function.arn,
            "userPoolId": identity.pool.id,
            "userPoolClientId": identity.client.id,
            "queueUrl": intake.queue.url,
            "queueArn": intake.queue.arn,
            "deadLetterQueueUrl": intake.dead_letters.url,
            "topicArn": monitoring.topic.arn,
            "keyId": encryption.key.key_id,
            "keyArn": encryption.key.arn,
            "secretArn": secret.secret.arn,
            "dashboardUrl": dashboard.url,
        }
        if identity.test_user is not None and identity.test_password is not None:
            self.outputs["testUserName"] = identity.test_user.username
            self.outputs["testUserPassword"] = identity.test_password
        if delivery is not None:
            self.outputs |= {
                "forwardFunctionName": delivery.forward_function.name,
                "forwardFunctionArn": delivery.forward_function.arn,
                "deliveryQueueUrl": delivery.queue.url,
                "deliveryQueueArn": delivery.queue.arn,
                "deliveryFunctionName": delivery.function.name,
                "deliveryFunctionArn": delivery.function.arn,
                "deliveryDeadLetterQueueUrl": delivery.dead_letters.url,
            }
        if reconciliation is not None:
            self.outputs["reconcileFunctionName"] = reconciliation.function.name
        self.register_outputs(self.outputs)


def _watched(
    stack: StackSettings, ingest: Ingest, api: Api, delivery: Delivery | None, reconciliation: Reconciliation | None
) -> list[Watched]:
    """Return the functions that are watched. What works through messages ends before its reserve begins."""
    settings = stack.settings
    timeout = settings.function_timeout_seconds
    planned = timeout - settings.time_reserve_seconds
    worker = partial(Watched, timeout_seconds=timeout, planned_seconds=planned)
    return [
        worker(purpose="ingest", function=ingest.function),
        Watched(purpose="api", function=api.function, timeout_seconds=settings.api_timeout_seconds),
        *([worker(purpose="reconcile", function=reconciliation.function)] if reconciliation else []),
        *([worker(purpose="forward", function=delivery.forward_function)] if delivery else []),
        *(
            [Watched(purpose="delivery", function=delivery.function, timeout_seconds=delivery.timeout_seconds)]
            if delivery
            else []
        ),
    ]


def _build(stack: StackSettings) -> tuple[Archive, dict[str, Archive]]:
    """Build the layer and each function's code, and say how large they are."""
    layer = build_layer(SOURCE, BUILD, stack.settings.layer_platform)
    codes = {purpose: build_function(SOURCE, purpose, BUILD) for purpose in FUNCTIONS}
    for purpose, code in codes.items():
        size = layer.unzipped_bytes + code.unzipped_bytes
        pulumi.log.info(
            f"{purpose} unzipped: {code.unzipped_bytes / 1024:,.0f} KiB of code and "
            f"{layer.unzipped_bytes / 1024**2:.1f} MiB of layer, {size / MAX_UNZIPPED_BYTES:.1%} of Lambda's limit"
        )
    return layer, codes
