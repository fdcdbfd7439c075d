"""Record types, one file each: a msgspec struct, as ``RECORD``. The file's name is the schema's in the config."""
