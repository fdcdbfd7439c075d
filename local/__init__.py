"""The whole stack on one machine: no account, no Docker, no Pulumi CLI."""
