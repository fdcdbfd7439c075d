"""Where the stack stands: partition, account and region, as its provider knows them."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws


@dataclass(frozen=True, kw_only=True)
class Account:
    """The account and region that a stack is deployed to."""

    partition: pulumi.Output[str]
    id: pulumi.Output[str]
    region: pulumi.Output[str]

    @classmethod
    def of(cls, provider: aws.Provider) -> Account:
        """Ask `provider` where it works."""
        options = pulumi.InvokeOptions(provider=provider)
        return cls(
            partition=aws.get_partition_output(opts=options).partition,
            id=aws.get_caller_identity_output(opts=options).account_id,
            region=aws.get_region_output(opts=options).region,
        )

    def arn(
        self,
        service: str,
        resource: pulumi.Input[str],
        *,
        region: pulumi.Input[str] | None = None,
        account: pulumi.Input[str] | None = None,
    ) -> pulumi.Output[str]:
        """Build the ARN of a resource that has no output to take it from."""
        return pulumi.Output.concat(
            "arn:",
            self.partition,
            f":{service}:",
            self.region if region is None else region,
            ":",
            self.id if account is None else account,
            ":",
            resource,
        )
