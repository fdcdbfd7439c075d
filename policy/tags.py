"""Every resource carries the tags that say whose it is."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Final

from policy.resource import UNKNOWN, Resource, look
from policy.rule import AWS_TYPES, resource_rule

REQUIRED: Final = ("Environment", "Project", "ManagedBy", "Owner", "CostCenter", "Backup")


@resource_rule(AWS_TYPES)
def tagged(resource: Resource) -> Iterator[str]:
    """Every resource carries the tags Environment, Project, ManagedBy, Owner, CostCenter and Backup."""
    # The provider puts its default tags on all that can be tagged; it lists them in tagsAll.
    layers = [_default_tags(resource), resource.at("tags"), resource.at("tagsAll")]
    if UNKNOWN in layers:
        return
    tags = {name: look(layer, name) for layer in layers if isinstance(layer, Mapping) for name in layer}
    missing = [name for name in REQUIRED if not tags.get(name)]
    if missing:
        yield f"lacks the tags {', '.join(missing)}: declare it through the stack's own provider"
    for name, expected in (("Environment", resource.stage), ("Project", resource.project)):
        if tags.get(name) not in (None, UNKNOWN, expected):
            yield f"tag {name} = {tags[name]}: should be {expected}"


def _default_tags(resource: Resource) -> object:
    """Return the default tags of its provider, whose properties are handed over as JSON."""
    defaults = look(resource.provider, "defaultTags")
    if isinstance(defaults, str):
        try:
            defaults = json.loads(defaults)
        except ValueError:  # partly unknown: the text holds a placeholder
            return UNKNOWN
    return UNKNOWN if defaults is UNKNOWN else look(defaults, "tags")
