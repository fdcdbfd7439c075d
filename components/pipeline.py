"""The whole pipeline: the only file that knows all components."""

from __future__ import annotations

from pathlib import Path

import pulumi
import pulumi_aws as aws

from components.account import Account
from components.catalog import Catalog
from components.delivery import Delivery
from components.encryption import Encryption
from components.ingest import Ingest
from components.intake import Intake
from components.landing import Landing
from components.monitoring import Monitoring, Watched
from components.packaging import ARCHITECTURE, MAX_UNZIPPED_BYTES, RUNTIME, Archive, build_function, build_layer
from components.provider import stack_provider
from components.secret import Secret
from components.settings import StackSettings

SOURCE = Path("lambda_src")
BUILD = Path("build")


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
        layer, ingest_code = _build(stack)

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
            code=ingest_code,
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
                code=build_function(SOURCE, "delivery", BUILD),
                layer_arn=shared_layer.arn,
                opts=child,
            )
            if stack.settings.delivery_endpoint
            else None
        )
        timeout = stack.settings.function_timeout_seconds
        monitoring = Monitoring(
            f"{stack.prefix}-monitoring",
            stack=stack,
            account=account,
            encryption=encryption,
            intake=intake,
            catalog=catalog,
            functions=[
                Watched(purpose="ingest", function=ingest.function, timeout_seconds=timeout),
                *(
                    [Watched(purpose="delivery", function=delivery.function, timeout_seconds=timeout)]
                    if delivery
                    else []
                ),
            ],
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
            "queueUrl": intake.queue.url,
            "queueArn": intake.queue.arn,
            "deadLetterQueueUrl": intake.dead_letters.url,
            "topicArn": monitoring.topic.arn,
            "keyId": encryption.key.key_id,
            "keyArn": encryption.key.arn,
            "secretArn": secret.secret.arn,
        }
        if delivery is not None:
            self.outputs |= {
                "deliveryFunctionName": delivery.function.name,
                "deliveryFunctionArn": delivery.function.arn,
                "deliveryDeadLetterQueueUrl": delivery.dead_letters.url,
            }
        self.register_outputs(self.outputs)


def _build(stack: StackSettings) -> tuple[Archive, Archive]:
    """Build the layer and the function's code, and say how large they are."""
    layer = build_layer(SOURCE, BUILD, stack.settings.layer_platform)
    ingest = build_function(SOURCE, "ingest", BUILD)
    size = layer.unzipped_bytes + ingest.unzipped_bytes
    pulumi.log.info(
        f"ingest unzipped: {ingest.unzipped_bytes / 1024:,.0f} KiB of code and "
        f"{layer.unzipped_bytes / 1024**2:.1f} MiB of layer, {size / MAX_UNZIPPED_BYTES:.1%} of Lambda's limit"
    )
    return layer, ingest
