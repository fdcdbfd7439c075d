"""The whole pipeline: the only file that knows all components."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import pulumi
import pulumi_aws as aws

from components import arguments
from components.account import Account
from components.addresses import FORBIDDEN_NETWORKS
from components.api import Api
from components.catalog import Catalog
from components.delivery import Delivery
from components.encryption import Encryption
from components.function import Function
from components.gateway import Gateway
from components.identity import Identity
from components.ingest import Ingest
from components.intake import Intake
from components.landing import Landing
from components.observability.alarms import pipeline_alarms
from components.observability.dashboard import Dashboard, DashboardArgs, pipeline_rows
from components.observability.flow import Flow, ObservedApi, ObservedDelivery, ObservedFunction, ObservedIntake
from components.observability.late_alarms import late_alarms
from components.observability.monitoring import Monitoring, MonitoringArgs
from components.outputs import pipeline_outputs
from components.packaging import ARCHITECTURE, RUNTIME, Archive, build_archives
from components.reconciliation import Reconciliation
from components.release_arguments import releases
from components.releases import Releases
from components.secret import Secret
from components.settings import LOCAL_STAGE, Settings, SettingsError, places

_ROOT: Final = Path(__file__).resolve().parents[1]
SOURCE: Final = _ROOT / "lambda_src"
BUILD: Final = _ROOT / "build"
FUNCTIONS: Final = ("ingest", "api", "forward", "delivery", "reconcile")


@dataclass(frozen=True, kw_only=True)
class PipelineArgs:
    """Which pipeline it is.

    Parameters
    ----------
    project, stage
        What its metrics, alarms and catalog items are named after.
    settings
        All that can be set.
    """

    project: str
    stage: str
    settings: Settings

    @property
    def namespace(self) -> str:
        """The CloudWatch namespace of the functions' own metrics."""
        return f"{self.project}/{self.stage}"


class Pipeline(pulumi.ComponentResource):
    """Everything of one stage.

    What AWS wants a name for is called ``name-…``, so the name must be the pipeline's alone in its account and region.

    Attributes
    ----------
    landing, intake, catalog, ingest, secret
        The components that it is made of.
    encryption, gateway, identity, api, delivery, reconciliation, monitoring, dashboard, releases
        The same; None: the stage goes without it, or brings its own.
    key_arn
        The key of all that is stored.
    outputs
        What the stack exports: output name → value.
    """

    def __init__(self, name: str, args: PipelineArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        # What the company brings is said to whoever looks at the stack: its guardrails allow that and no other.
        brought = {"broughtKeyArn": args.settings.kms_key_arn, "broughtIssuer": args.settings.jwt_issuer}
        brought = {key: value for key, value in brought.items() if value}
        super().__init__("pipeline:index:Pipeline", name, {**brought}, opts)
        self._name, self._settings = name, args.settings
        self._child = pulumi.ResourceOptions(parent=self)
        layer, self._codes = build_archives(
            SOURCE, BUILD, FUNCTIONS, args.settings.layer_platform, schema_folder(args.settings)
        )
        self.encryption = None if args.settings.kms_key_arn else self._make_encryption()
        self.key_arn = key_arn = self._key_where_all_is(args)
        self.landing = Landing(f"{name}-landing", arguments.landing(args.settings, key_arn), self._child)
        self.intake = Intake(f"{name}-intake", arguments.intake(args.settings, key_arn, self.landing), self._child)
        self.catalog = Catalog(f"{name}-catalog", arguments.catalog(args.settings, key_arn), self._child)
        self._runtime = arguments.runtime(
            args.settings, key_arn, self._declare_layer(layer), stage=args.stage, namespace=args.namespace
        )
        self.ingest = self._make_ingest()
        self.gateway: Gateway | None = None
        self.identity: Identity | None = None
        self.api: Api | None = None
        if args.settings.api:
            self._make_api()
        self.secret = Secret(f"{name}-secret", arguments.secret(name, args.settings, key_arn), self._child)
        self.delivery = self._make_delivery(args) if args.settings.delivery_endpoint else None
        self.reconciliation = self._make_reconciliation() if args.settings.reconciliation_hours else None
        flow = self._flow(args)
        self.monitoring = self._make_monitoring(args, flow) if args.settings.alarms else None
        self.dashboard = self._make_dashboard(flow) if args.settings.dashboard else None
        self.releases: Releases | None = None
        if args.settings.shift and self.monitoring:
            self.releases = self._make_releases(args.namespace, self.monitoring.topic.arn)
        self.outputs = pipeline_outputs(self, args.settings)
        self.register_outputs({**self.outputs, **brought})

    def _make_encryption(self) -> Encryption:
        return Encryption(f"{self._name}-encryption", arguments.encryption(self._name, self._settings), self._child)

    def _key_where_all_is(self, args: PipelineArgs) -> pulumi.Output[str]:
        """Return the key, once what is brought turns out to be of the provider's region and account.

        Only the provider knows them: it may be another program's.
        """
        settings, account = args.settings, Account(self)
        key_arn = self.encryption.key.arn if self.encryption else pulumi.Output.from_input(settings.kms_key_arn)
        if not places.needs_place(settings):
            return key_arn

        def check(known: Sequence[str]) -> str:
            region, account_id, arn = known
            problems = list(places.find_elsewhere(settings, region=region, accounts=[account_id]))
            if problems:
                lines = "\n".join(f"  {args.project}:{text}" for text in problems)
                raise SettingsError(f"wrong settings of stack {args.stage!r}:\n{lines}")
            return arn

        return pulumi.Output.all(account.region, account.id, key_arn).apply(check)

    def _declare_layer(self, layer: Archive) -> pulumi.Output[str]:
        return aws.lambda_.LayerVersion(
            f"{self._name}-layer",
            layer_name=f"{self._name}-shared",
            code=pulumi.FileArchive(layer.path),
            source_code_hash=layer.sha256_base64,
            compatible_runtimes=[RUNTIME],
            compatible_architectures=[ARCHITECTURE],
            opts=self._child,
        ).arn

    def _make_ingest(self) -> Ingest:
        args = arguments.ingest(
            self._settings,
            self._runtime,
            self._codes["ingest"],
            landing=self.landing,
            intake=self.intake,
            catalog=self.catalog,
        )
        return Ingest(f"{self._name}-ingest", args, self._child)

    def _make_api(self) -> None:
        """Make the API: its address first, then what signs users in, which sends them back to it, then the routes."""
        settings = self._settings
        self.gateway = Gateway(f"{self._name}-api", arguments.gateway(settings), self._child)
        if not settings.jwt_issuer:
            self.identity = Identity(f"{self._name}-identity", arguments.identity(settings), self._child)
        args = arguments.api(
            settings,
            self._runtime,
            self._codes["api"],
            gateway=self.gateway,
            authorizer=arguments.authorizer(settings, self.identity),
            landing=self.landing,
            catalog=self.catalog,
        )
        self.api = Api(f"{self._name}-api", args, self._child)

    def _make_delivery(self, args: PipelineArgs) -> Delivery:
        delivery = arguments.delivery(
            self._settings,
            self._runtime,
            self._codes,
            catalog=self.catalog,
            secret=self.secret,
            # The local cloud's receiver is on this machine.
            forbidden_networks=() if args.stage == LOCAL_STAGE else FORBIDDEN_NETWORKS,
        )
        return Delivery(f"{self._name}-delivery", delivery, self._child)

    def _make_reconciliation(self) -> Reconciliation:
        args = arguments.reconciliation(
            self._settings,
            self._runtime,
            self._codes["reconcile"],
            landing=self.landing,
            intake=self.intake,
            catalog=self.catalog,
        )
        return Reconciliation(f"{self._name}-reconcile", args, self._child)

    def _make_monitoring(self, args: PipelineArgs, flow: Flow) -> Monitoring:
        monitoring = MonitoringArgs(
            display_name=f"{args.project} alerts ({args.stage})",
            kms_key_arn=self.key_arn,
            alarms=pipeline_alarms(flow),
            composite_alarms=late_alarms(flow),
            emails=args.settings.alert_emails,
            topic_arns=args.settings.alarm_topic_arns,
        )
        return Monitoring(f"{self._name}-monitoring", monitoring, self._child)

    def _make_dashboard(self, flow: Flow) -> Dashboard:
        args = DashboardArgs(title=self._name, rows=pipeline_rows(flow))
        return Dashboard(f"{self._name}-dashboard", args, self._child)

    def _make_releases(self, namespace: str, topic_arn: pulumi.Output[str]) -> Releases:
        args = releases(
            self._settings,
            self.functions,
            namespace=namespace,
            api_id=self.gateway.api.id if self.gateway else None,
            topic_arn=topic_arn,
            role=self._runtime.role,
        )
        return Releases(f"{self._name}-releases", args, self._child)

    @property
    def functions(self) -> dict[str, Function]:
        """The functions, by what they do."""
        found = {"ingest": self.ingest.function}
        if self.api:
            found["api"] = self.api.function
        if self.reconciliation:
            found["reconcile"] = self.reconciliation.function
        if self.delivery:
            found |= {"forward": self.delivery.forward_function, "delivery": self.delivery.function}
        return found

    def _flow(self, args: PipelineArgs) -> Flow:
        settings = args.settings
        return Flow(
            namespace=args.namespace,
            functions=self._observed_functions(),
            intake=ObservedIntake(
                queue_name=self.intake.queue.name,
                dead_letters_name=self.intake.dead_letters.name,
                retry_seconds=settings.retry_seconds,
                consumer_timeout_seconds=settings.function_timeout_seconds,
                silence_alarm_hours=settings.silence_alarm_hours,
            ),
            table_name=self.catalog.table.name,
            api=ObservedApi(api_id=self.gateway.api.id, latency_alarm_ms=settings.api_latency_alarm_ms)
            if self.gateway
            else None,
            delivery=ObservedDelivery(
                forward_function_name=self.delivery.forward_function.name,
                queue_name=self.delivery.queue.name,
                dead_letters_name=self.delivery.dead_letters.name,
                alarm_seconds=settings.delivery_alarm_seconds,
            )
            if self.delivery
            else None,
            reconciles=self.reconciliation is not None,
            failed_alarm_percent=settings.failed_alarm_percent,
            rejected_alarm_percent=settings.rejected_alarm_percent,
            final_within_seconds=settings.final_within_seconds,
            final_within_percent=settings.final_within_percent,
        )

    def _observed_functions(self) -> list[ObservedFunction]:
        """Return the functions that are observed. What works through messages ends before its reserve begins."""
        settings = self._settings
        timeout = settings.function_timeout_seconds
        worker = partial(
            ObservedFunction, timeout_seconds=timeout, planned_seconds=timeout - settings.time_reserve_seconds
        )
        functions = [worker(purpose="ingest", name=self.ingest.function.name)]
        if self.api:
            timeout = settings.api_timeout_seconds
            functions.append(ObservedFunction(purpose="api", name=self.api.function.name, timeout_seconds=timeout))
        if self.reconciliation:
            functions.append(worker(purpose="reconcile", name=self.reconciliation.function.name))
        if self.delivery:
            timeout = self.delivery.timeout_seconds
            functions += [
                worker(purpose="forward", name=self.delivery.forward_function.name),
                ObservedFunction(purpose="delivery", name=self.delivery.function.name, timeout_seconds=timeout),
            ]
        return functions


def schema_folder(settings: Settings) -> Path | None:
    """Return the folder with the stack's own schemas. A path that is not absolute begins at this program's folder."""
    return _ROOT / settings.record_schemas if settings.record_schemas else None
