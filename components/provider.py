"""The stack's own AWS provider: its region, its tags on everything, and, for the local cloud, its endpoints."""

from __future__ import annotations

import pulumi_aws as aws

from components.settings import StackSettings


def stack_provider(stack: StackSettings) -> aws.Provider:
    """Declare the provider that every resource of the stack is made through."""
    settings = stack.aws
    endpoints = [
        aws.ProviderEndpointArgs(
            **{"lambda_" if service == "lambda" else service: url for service, url in entry.items()}
        )
        for entry in settings.endpoints or []
    ]
    return aws.Provider(
        f"{stack.prefix}-aws",
        region=settings.region,
        profile=settings.profile,
        allowed_account_ids=settings.allowed_account_ids,
        default_tags=aws.ProviderDefaultTagsArgs(tags=stack.tags),
        access_key=settings.access_key,
        secret_key=settings.secret_key,
        endpoints=endpoints or None,
        insecure=settings.insecure,
        s3_use_path_style=settings.s3_use_path_style,
        skip_credentials_validation=settings.skip_credentials_validation,
        skip_metadata_api_check=settings.skip_metadata_api_check,
    )
