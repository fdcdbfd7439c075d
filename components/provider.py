"""A stack's own AWS provider: its region, its tags on everything, whose role it takes, and how it reaches AWS."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi_aws as aws

from components.settings import AwsSettings


def stack_provider(prefix: str, settings: AwsSettings, tags: Mapping[str, str]) -> aws.Provider:
    """Declare the provider that every resource of a stack is made through.

    Parameters
    ----------
    prefix
        What its name begins with.
    settings
        The ``aws:`` keys of the stack.
    tags
        The tags of every resource.
    """
    endpoints = [
        aws.ProviderEndpointArgs(
            **{"lambda_" if service == "lambda" else service: url for service, url in entry.items()}
        )
        for entry in settings.endpoints or []
    ]
    roles = [aws.ProviderAssumeRoleArgs(**role.model_dump(exclude_none=True)) for role in settings.assume_roles or []]
    ignored = settings.ignore_tags
    return aws.Provider(
        f"{prefix}-aws",
        region=settings.region,
        profile=settings.profile,
        assume_roles=roles or None,
        allowed_account_ids=settings.allowed_account_ids,
        forbidden_account_ids=settings.forbidden_account_ids,
        default_tags=aws.ProviderDefaultTagsArgs(tags=tags),
        ignore_tags=aws.ProviderIgnoreTagsArgs(keys=ignored.keys, key_prefixes=ignored.key_prefixes)
        if ignored
        else None,
        access_key=settings.access_key,
        secret_key=settings.secret_key,
        endpoints=endpoints or None,
        insecure=settings.insecure,
        s3_use_path_style=settings.s3_use_path_style,
        skip_credentials_validation=settings.skip_credentials_validation,
        skip_metadata_api_check=settings.skip_metadata_api_check,
        max_retries=settings.max_retries,
        retry_mode=settings.retry_mode,
        http_proxy=settings.http_proxy,
        https_proxy=settings.https_proxy,
        no_proxy=settings.no_proxy,
        custom_ca_bundle=settings.custom_ca_bundle,
        shared_config_files=settings.shared_config_files,
        shared_credentials_files=settings.shared_credentials_files,
        sts_region=settings.sts_region,
        use_fips_endpoint=settings.use_fips_endpoint,
        use_dualstack_endpoint=settings.use_dualstack_endpoint,
    )
