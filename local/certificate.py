"""A certificate for 127.0.0.1, so that the stack's own denial of plain HTTP holds on the local cloud too."""

from __future__ import annotations

from pathlib import Path

import trustme


def write_certificate(folder: Path) -> tuple[Path, Path]:
    """Make an authority for this once, and a server's certificate for localhost.

    Parameters
    ----------
    folder
        Where the two files are written.

    Returns
    -------
    tuple
        What clients trust; and what the server loads: its private key with its certificate, readable by the owner
        alone. Both PEM.
    """
    authority = trustme.CA()
    trusted, server = folder / "authority.pem", folder / "server.pem"
    authority.cert_pem.write_to_path(trusted)
    server.touch(mode=0o600)
    authority.issue_cert("localhost", "127.0.0.1").private_key_and_cert_chain_pem.write_to_path(server)
    return trusted, server
