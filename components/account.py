"""Where a component is deployed: partition, account and region, as its provider knows them."""

from __future__ import annotations

from functools import cached_property

import pulumi
import pulumi_aws as aws


class Account:
    """The account and region that a component is deployed to. Its provider is asked for each when it is first needed.

    Parameters
    ----------
    resource
        The component. It must be registered: its provider is its own, or that of its parents.
    """

    def __init__(self, resource: pulumi.Resource) -> None:
        self._resource = resource

    @cached_property
    def partition(self) -> pulumi.Output[str]:
        """The partition, such as ``aws``."""
        return aws.get_partition_output(opts=self._options()).partition

    @cached_property
    def id(self) -> pulumi.Output[str]:
        """The account's number."""
        return aws.get_caller_identity_output(opts=self._options()).account_id

    @cached_property
    def region(self) -> pulumi.Output[str]:
        """The region, such as ``eu-central-1``."""
        return aws.get_region_output(opts=self._options()).region

    def arn(self, service: str, resource: pulumi.Input[str]) -> pulumi.Output[str]:
        """Build the ARN of a resource that has no output to take it from."""
        return pulumi.Output.concat("arn:", self.partition, f":{service}:", self.region, ":", self.id, ":", resource)

    def _options(self) -> pulumi.InvokeOptions:
        return pulumi.InvokeOptions(parent=self._resource)
