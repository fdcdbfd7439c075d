"""Which objects are accepted."""

from __future__ import annotations

from msgspec import Struct

from shared.settings import Positive


class IntakeRules(Struct, frozen=True, kw_only=True):
    """The stage's rules for objects; a part of the settings of each function that needs them.

    Parameters
    ----------
    uploads_prefix
        Where uploads are.
    refused_prefixes
        Folders that are never accepted, at the top of the bucket or of the uploads; each ends with a slash.
    allowed_extensions
        Lower-case extensions that are; a name without one always is.
    max_object_bytes
        The largest object that is.
    """

    uploads_prefix: str
    refused_prefixes: tuple[str, ...]
    allowed_extensions: tuple[str, ...]
    max_object_bytes: Positive

    def is_upload(self, key: str) -> bool:
        """Whether `key` is where uploads are, the only place that may be read."""
        return key.startswith(self.uploads_prefix)

    def check_key(self, key: str) -> str | None:
        """Return why an object with this key is not accepted, or None if it may be."""
        name = key.removeprefix(self.uploads_prefix)
        for prefix in self.refused_prefixes:
            if key.startswith(prefix) or name.startswith(prefix):
                return f"objects under {prefix} are not accepted"
        if not self.is_upload(key):
            return f"key is not under {self.uploads_prefix}"
        if key.endswith("/"):
            return "key is a folder, not a file"
        return self._check_extension(key.rpartition("/")[2].lower())

    def check_size(self, size: int) -> str | None:
        """Return why an object of `size` bytes is not accepted, or None if it is."""
        if size > self.max_object_bytes:
            return f"object has {size} bytes, more than the limit of {self.max_object_bytes}"
        return None

    def _check_extension(self, name: str) -> str | None:
        # A dot in front makes a hidden file, not an extension.
        stem, dot, extension = name.removeprefix(".").rpartition(".")
        if not dot or name.endswith(self.allowed_extensions):
            return None
        inner = stem.rpartition(".")
        compressed = f".{inner[2]}" if extension == "gz" and inner[1] else ""
        return f"extension {compressed}.{extension} is not accepted"
