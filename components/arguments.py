"""What a stack's settings mean for each component: settings in, arguments out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pulumi

from components.api import ApiArgs, AuthorizerArgs, ThrottleArgs
from components.catalog import Catalog, CatalogArgs
from components.dead_letters import DeadLetterArgs
from components.delivery import DeliveryArgs
from components.encryption import VENDED_LOGS_PREFIX, EncryptionArgs
from components.file_rules import FileRulesArgs
from components.function import LOG_GROUP_PREFIX, NetworkArgs, RuntimeArgs
from components.gateway import Gateway, GatewayArgs
from components.iam import RoleArgs
from components.identity import GROUPS_CLAIM, SCOPES_CLAIM, Identity, IdentityArgs
from components.ingest import IngestArgs
from components.intake import Intake, IntakeArgs
from components.landing import UPLOADS_PREFIX, Landing, LandingArgs
from components.packaging import Archive
from components.reconciliation import ReconciliationArgs
from components.secret import Secret, SecretArgs
from components.settings import Settings


def log_groups(prefix: str) -> list[str]:
    """Return where all log groups of a pipeline are."""
    return [f"{place}{prefix}-*" for place in (LOG_GROUP_PREFIX, VENDED_LOGS_PREFIX)]


def encryption(prefix: str, settings: Settings) -> EncryptionArgs:
    """Return what the key is for: all log groups of the pipeline begin with its name."""
    return EncryptionArgs(
        description=f"Everything that {prefix} stores",
        alias=prefix,
        log_groups=log_groups(prefix),
        deletion_days=settings.key_deletion_days,
        retain=settings.retain_data,
    )


def landing(settings: Settings, key_arn: pulumi.Input[str]) -> LandingArgs:
    """Return how the landing bucket keeps what arrives."""
    return LandingArgs(
        kms_key_arn=key_arn,
        retain=settings.retain_data,
        upload_retention_days=settings.upload_retention_days,
        processed_retention_days=settings.processed_retention_days,
        rejected_retention_days=settings.rejected_days,
        old_version_retention_days=settings.old_version_retention_days,
        multipart_upload_days=settings.multipart_upload_days,
        intelligent_tiering=settings.intelligent_tiering,
        archive_after_days=settings.archive_after_days,
        deep_archive_after_days=settings.deep_archive_after_days,
        cors_origins=settings.cors_origins,
        cors_max_age_seconds=settings.cors_max_age_seconds,
        access_log_retention_days=settings.access_log_retention_days,
    )


def dead_letters(settings: Settings, key_arn: pulumi.Input[str]) -> DeadLetterArgs:
    """Return how every dead-letter queue keeps its messages."""
    return DeadLetterArgs(
        kms_key_arn=key_arn,
        retention_days=settings.dead_letter_retention_days,
        visibility_seconds=settings.dead_letter_visibility_seconds,
    )


def intake(settings: Settings, key_arn: pulumi.Input[str], landing: Landing) -> IntakeArgs:
    """Return whose uploads the intake queue takes, and how long it holds them."""
    return IntakeArgs(
        bucket_name=landing.bucket.id,
        bucket_arn=landing.bucket.arn,
        prefix=UPLOADS_PREFIX,
        kms_key_arn=key_arn,
        dead_letters=dead_letters(settings, key_arn),
        consumer_timeout_seconds=settings.function_timeout_seconds,
        max_receive_count=settings.max_receive_count,
        retention_days=settings.intake_retention_days,
        event_bridge=settings.event_bridge_notifications,
    )


def catalog(settings: Settings, key_arn: pulumi.Input[str]) -> CatalogArgs:
    """Return how the catalog's table is billed, spread and kept."""
    return CatalogArgs(
        kms_key_arn=key_arn,
        retain=settings.retain_data,
        retention_days=settings.catalog_retention_days,
        index_shards=settings.index_shards,
        billing_mode=settings.table_billing_mode,
        max_read_units=settings.table_max_read_units,
        max_write_units=settings.table_max_write_units,
        read_capacity=settings.table_read_capacity,
        write_capacity=settings.table_write_capacity,
        index_read_capacity=settings.index_read_capacity,
        index_write_capacity=settings.index_write_capacity,
        autoscaling=settings.table_autoscaling,
        autoscaling_min_capacity=settings.autoscaling_min_capacity,
        autoscaling_max_capacity=settings.autoscaling_max_capacity,
        autoscaling_target_percent=settings.autoscaling_target_percent,
    )


def runtime(
    settings: Settings, key_arn: pulumi.Input[str], layer_arn: pulumi.Input[str], *, stage: str, namespace: str
) -> RuntimeArgs:
    """Return what all functions have in common."""
    return RuntimeArgs(
        layer_arn=layer_arn,
        kms_key_arn=key_arn,
        stage=stage,
        metrics_namespace=namespace,
        memory_mb=settings.function_memory_mb,
        log_level=settings.log_level,
        detailed_tracing=settings.detailed_tracing,
        log_retention_days=settings.log_retention_days,
        insights_layer_arn=settings.lambda_insights_layer_arn,
        shifts=bool(settings.shift),
        role=RoleArgs(
            permissions_boundary_arn=settings.permissions_boundary_arn or None,
            path=None if settings.iam_path == "/" else settings.iam_path,
        ),
        network=NetworkArgs(subnet_ids=settings.subnet_ids, security_group_ids=settings.security_group_ids)
        if settings.subnet_ids
        else None,
    )


def file_rules(settings: Settings) -> FileRulesArgs:
    """Return which files are taken, and which hold records."""
    return FileRulesArgs(
        record_types=settings.record_types,
        allowed_extensions=settings.allowed_extensions,
        refused_prefixes=settings.refused_prefixes,
        max_object_bytes=settings.max_object_bytes,
    )


def ingest(
    settings: Settings, runtime: RuntimeArgs, code: Archive, *, landing: Landing, intake: Intake, catalog: Catalog
) -> IngestArgs:
    """Return what the ingest function works on."""
    return IngestArgs(
        runtime=runtime,
        code=code,
        landing=landing,
        intake=intake,
        catalog=catalog,
        files=file_rules(settings),
        timeout_seconds=settings.function_timeout_seconds,
        time_reserve_seconds=settings.time_reserve_seconds,
        max_concurrency=settings.max_concurrency,
        max_rejected_records=settings.max_rejected_records,
        record_bytes_per_second=settings.record_bytes_per_second,
        final_within_seconds=settings.final_within_seconds,
    )


def gateway(settings: Settings) -> GatewayArgs:
    """Return from where browsers may call the API."""
    return GatewayArgs(cors_origins=settings.api_cors_origins, cors_max_age_seconds=settings.api_cors_max_age_seconds)


def identity(settings: Settings) -> IdentityArgs:
    """Return how strict the user pool is."""
    return IdentityArgs(
        retain=settings.retain_data,
        password_min_length=settings.password_min_length,
        self_signup=settings.self_signup,
        temporary_password_days=settings.temporary_password_days,
        token_minutes=settings.token_minutes,
        refresh_token_days=settings.refresh_token_days,
        threat_protection=settings.threat_protection,
        threat_protection_skipped_ranges=settings.threat_protection_skipped_ranges,
        test_user=settings.test_user,
        program_client=settings.program_client,
        readers_group=settings.readers_group,
        writers_group=settings.writers_group,
        read_scope=settings.read_scope,
        write_scope=settings.write_scope,
    )


def authorizer(settings: Settings, identity: Identity | None) -> AuthorizerArgs:
    """Return whose tokens the API takes: a brought provider's, or those of the pool."""
    if identity is None:
        issuer: pulumi.Input[str] = settings.jwt_issuer
        audiences: list[pulumi.Input[str]] = [*settings.jwt_audiences]
        groups_claim, scopes_claim = settings.jwt_groups_claim, settings.jwt_scopes_claim
    else:
        issuer, audiences = identity.issuer, [identity.client.id]
        audiences += [identity.programs.client_id] if identity.programs else []
        groups_claim, scopes_claim = GROUPS_CLAIM, SCOPES_CLAIM
    return AuthorizerArgs(
        issuer=issuer,
        audiences=audiences,
        groups_claim=groups_claim,
        scopes_claim=scopes_claim,
        readers_group=settings.readers_group,
        writers_group=settings.writers_group,
        read_scope=settings.read_scope,
        write_scope=settings.write_scope,
    )


def api(
    settings: Settings,
    runtime: RuntimeArgs,
    code: Archive,
    *,
    gateway: Gateway,
    authorizer: AuthorizerArgs,
    landing: Landing,
    catalog: Catalog,
) -> ApiArgs:
    """Return what the API works on, and what limits it."""
    return ApiArgs(
        runtime=runtime,
        code=code,
        gateway=gateway,
        authorizer=authorizer,
        landing=landing,
        catalog=catalog,
        files=file_rules(settings),
        timeout_seconds=settings.api_timeout_seconds,
        reserved_concurrency=settings.api_reserved_concurrency,
        snap_start=settings.api_snap_start,
        max_body_bytes=settings.api_max_body_bytes,
        max_records=settings.api_max_records,
        link_seconds=settings.upload_link_seconds,
        throttle=ThrottleArgs(rate=settings.api_throttle_rate, burst=settings.api_throttle_burst),
        open_throttle=ThrottleArgs(rate=settings.api_open_throttle_rate, burst=settings.api_open_throttle_burst),
    )


def secret(prefix: str, settings: Settings, key_arn: pulumi.Input[str]) -> SecretArgs:
    """Return what the secret is for."""
    return SecretArgs(
        description=f"Credentials with which {prefix} delivers", kms_key_arn=key_arn, retain=settings.retain_data
    )


def delivery(
    settings: Settings,
    runtime: RuntimeArgs,
    codes: Mapping[str, Archive],
    *,
    catalog: Catalog,
    secret: Secret,
    forbidden_networks: tuple[str, ...],
) -> DeliveryArgs:
    """Return what is delivered where, and how long it is tried."""
    return DeliveryArgs(
        runtime=runtime,
        forward_code=codes["forward"],
        code=codes["delivery"],
        catalog=catalog,
        secret=secret,
        dead_letters=replace(dead_letters(settings, runtime.kms_key_arn), fifo=True),
        endpoint=settings.delivery_endpoint,
        endpoint_timeout_seconds=settings.delivery_timeout_seconds,
        forbidden_networks=forbidden_networks,
        retry_seconds=settings.delivery_retry_seconds,
        max_concurrency=settings.delivery_max_concurrency,
        deliver_checks=settings.deliver_checks,
        forward_timeout_seconds=settings.function_timeout_seconds,
        time_reserve_seconds=settings.time_reserve_seconds,
    )


def reconciliation(
    settings: Settings, runtime: RuntimeArgs, code: Archive, *, landing: Landing, intake: Intake, catalog: Catalog
) -> ReconciliationArgs:
    """Return what is searched, and how often."""
    return ReconciliationArgs(
        runtime=runtime,
        code=code,
        landing=landing,
        intake=intake,
        catalog=catalog,
        interval_hours=settings.reconciliation_hours,
        delay_seconds=settings.reconciliation_delay_seconds,
        multipart_upload_days=settings.multipart_upload_days,
        timeout_seconds=settings.function_timeout_seconds,
        time_reserve_seconds=settings.time_reserve_seconds,
    )
