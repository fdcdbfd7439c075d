"""Each component is built alone, by its arguments, through its caller's provider; and twice in one program."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

import pulumi
import pulumi_aws as aws
import pytest

from components.api import Api, ApiArgs, AuthorizerArgs
from components.bucket import PrivateBucket, PrivateBucketArgs
from components.catalog import Catalog, CatalogArgs
from components.dead_letters import DeadLetterArgs
from components.delivery import Delivery, DeliveryArgs
from components.encryption import Encryption, EncryptionArgs
from components.file_rules import FileRulesArgs
from components.function import Function, FunctionArgs, RuntimeArgs
from components.gateway import Gateway, GatewayArgs
from components.identity import Identity, IdentityArgs
from components.ingest import Ingest, IngestArgs
from components.intake import Intake, IntakeArgs
from components.landing import Landing, LandingArgs
from components.observability.alarm import Alarm
from components.observability.dashboard import Dashboard, DashboardArgs
from components.observability.graph import Graph, Line
from components.observability.metrics import SqsMetrics
from components.observability.monitoring import Monitoring, MonitoringArgs
from components.packaging import Archive
from components.pipeline import Pipeline, PipelineArgs
from components.reconciliation import Reconciliation, ReconciliationArgs
from components.secret import Secret, SecretArgs
from components.settings import Settings
from local.stack_config import StackConfig
from tests.conftest import run
from tests.declared_stack import DeclaredStack

Build: TypeAlias = Callable[[str, pulumi.ResourceOptions], object]

KEY: Final = "arn:aws:kms:eu-west-1:123456789012:key/1"
CODE: Final = Archive(path=__file__, unzipped_bytes=1, sha256_base64="x")
RUNTIME: Final = RuntimeArgs(layer_arn="arn:layer", kms_key_arn=KEY, stage="any", metrics_namespace="mine")
FILES: Final = FileRulesArgs(record_types=["uploads/=shipment"], allowed_extensions=[".csv"])
DEAD_LETTERS: Final = DeadLetterArgs(kms_key_arn=KEY)
QUEUE: Final = SqsMetrics("queue")
ALARM: Final = Alarm(
    name="full",
    meaning="m",
    causes="c",
    runbook="r",
    metric=QUEUE.visible,
    threshold=1,
    missing="ignore",
)


def landing(name: str, opts: pulumi.ResourceOptions) -> Landing:
    return Landing(f"{name}-landing", LandingArgs(kms_key_arn=KEY), opts)


def intake(name: str, opts: pulumi.ResourceOptions) -> Intake:
    args = IntakeArgs(
        bucket_name="bucket",
        bucket_arn="arn:aws:s3:::bucket",
        prefix="in/",
        kms_key_arn=KEY,
        dead_letters=DEAD_LETTERS,
    )
    return Intake(f"{name}-intake", args, opts)


def catalog(name: str, opts: pulumi.ResourceOptions) -> Catalog:
    return Catalog(f"{name}-catalog", CatalogArgs(kms_key_arn=KEY), opts)


def secret(name: str, opts: pulumi.ResourceOptions) -> Secret:
    return Secret(f"{name}-secret", SecretArgs(description="for them", kms_key_arn=KEY), opts)


def gateway(name: str, opts: pulumi.ResourceOptions) -> Gateway:
    return Gateway(f"{name}-gateway", GatewayArgs(), opts)


def ingest(name: str, opts: pulumi.ResourceOptions) -> None:
    args = IngestArgs(
        runtime=RUNTIME,
        code=CODE,
        landing=landing(name, opts),
        intake=intake(name, opts),
        catalog=catalog(name, opts),
        files=FILES,
    )
    Ingest(f"{name}-ingest", args, opts)


def api(name: str, opts: pulumi.ResourceOptions) -> None:
    args = ApiArgs(
        runtime=RUNTIME,
        code=CODE,
        gateway=gateway(name, opts),
        authorizer=AuthorizerArgs(issuer="https://login.example.com", audiences=["us"]),
        landing=landing(name, opts),
        catalog=catalog(name, opts),
        files=FILES,
    )
    Api(f"{name}-api", args, opts)


def delivery(name: str, opts: pulumi.ResourceOptions) -> None:
    args = DeliveryArgs(
        runtime=RUNTIME,
        forward_code=CODE,
        code=CODE,
        catalog=catalog(name, opts),
        secret=secret(name, opts),
        dead_letters=DEAD_LETTERS,
        endpoint="https://receiver.example.com",
    )
    Delivery(f"{name}-delivery", args, opts)


def reconciliation(name: str, opts: pulumi.ResourceOptions) -> None:
    args = ReconciliationArgs(
        runtime=RUNTIME,
        code=CODE,
        landing=landing(name, opts),
        intake=intake(name, opts),
        catalog=catalog(name, opts),
    )
    Reconciliation(f"{name}-reconcile", args, opts)


def pipeline(name: str, opts: pulumi.ResourceOptions) -> None:
    settings = Settings(layer_platform="host", delivery_endpoint="https://receiver.example.com", program_client=True)
    Pipeline(name, PipelineArgs(project="mine", stage="any", settings=settings), opts)


BUILDS: Final[dict[str, Build]] = {
    "PrivateBucket": lambda name, opts: PrivateBucket(name, PrivateBucketArgs(), opts),
    "Encryption": lambda name, opts: Encryption(
        name, EncryptionArgs(description="all", alias=name, log_groups=["/aws/lambda/x"]), opts
    ),
    "Landing": landing,
    "Intake": intake,
    "Catalog": catalog,
    "Function": lambda name, opts: Function(
        f"{name}-ingest", FunctionArgs(purpose="ingest", runtime=RUNTIME, code=CODE), opts
    ),
    "Ingest": ingest,
    "Gateway": gateway,
    "Identity": lambda name, opts: Identity(name, IdentityArgs(test_user=True, program_client=True), opts),
    "Api": api,
    "Secret": secret,
    "Delivery": delivery,
    "Reconciliation": reconciliation,
    "Monitoring": lambda name, opts: Monitoring(
        name, MonitoringArgs(display_name="alerts", kms_key_arn=KEY, alarms=[ALARM], emails=["a@b.example"]), opts
    ),
    "Dashboard": lambda name, opts: Dashboard(
        name, DashboardArgs(title=name, rows={"Row": [Graph("Queue", [Line(QUEUE.visible, "waiting")])]}), opts
    ),
    "Pipeline": pipeline,
}


def build(kind: str, *names: str) -> DeclaredStack:
    def program() -> None:
        provider = aws.Provider("theirs", region="eu-west-1")
        for name in names:
            BUILDS[kind](name, pulumi.ResourceOptions(provider=provider))

    return run(StackConfig(project="another", stage="test", values={}), program=program)


@pytest.mark.parametrize("kind", BUILDS)
def test_a_component_is_built_alone_and_twice_in_one_program(kind: str) -> None:
    declared = build(kind, "one", "two")

    urns = [resource.urn for resource in declared.resources]
    assert len(set(urns)) == len(urns)
    assert [resource.type for resource in declared.resources].count(f"pipeline:index:{kind}") >= 2
    made = [resource for resource in declared.resources if resource.type.startswith("aws:")]
    assert made
    provider = declared.provider().urn
    for resource in made:
        assert resource.name.startswith(("one", "two")), resource.name
        assert resource.provider.startswith(provider), f"{resource.name} goes through another provider"
    for function, through in declared.asked:
        assert through.startswith(provider), f"{function} goes through another provider"
    # What AWS knows by a name, such as a log group, is another for each.
    named = [(r.type, str(r.inputs["name"])) for r in made if "name" in r.inputs and _is_global(r.type)]
    assert len(set(named)) == len(named)


def _is_global(kind: str) -> bool:
    """Whether the name of such a resource counts in the whole account, and not within another resource."""
    within = (":UserGroup", ":Stage", ":ResourceServer", ":BucketIntelligentTieringConfiguration", "lambda/alias:Alias")
    return not kind.endswith(within)


def test_every_component_is_here() -> None:
    declared = build("Pipeline", "mine")

    components = {r.type for r in declared.resources if r.type.startswith("pipeline:")}
    assert components == {f"pipeline:index:{kind}" for kind in BUILDS}
