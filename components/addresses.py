"""Addresses that nothing is delivered to: those of the function's own machine, and of the link it is on."""

from __future__ import annotations

import ipaddress
import socket
from typing import Final

FORBIDDEN_NETWORKS: Final = (
    "0.0.0.0/8",  # this machine
    "127.0.0.0/8",  # loopback: Lambda's runtime API
    "169.254.0.0/16",  # link-local: AWS's credentials, metadata, time and DNS
    "224.0.0.0/3",  # multicast, reserved, broadcast
    "::/96",  # this machine, loopback, IPv4 in an abandoned notation
    "::ffff:0.0.0.0/96",  # IPv4 in IPv6's notation
    "fe80::/10",  # link-local
    "ff00::/8",  # multicast
    "fd00:ec2::/32",  # AWS's metadata, time and DNS
)
"""Private networks are not among them: a function in a VPC may well deliver there."""


def is_forbidden(host: str) -> bool:
    """Return whether a host of a URL is such an address, in any notation, or a name that always leads to one."""
    if host == "localhost" or host.endswith(".localhost"):  # RFC 6761
        return True
    try:
        address = ipaddress.ip_address(host if ":" in host else socket.inet_aton(host))
    except OSError:
        return False  # a name: where it leads is known when it is looked up
    return any(address in ipaddress.ip_network(network) for network in FORBIDDEN_NETWORKS)
