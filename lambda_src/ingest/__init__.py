"""The ingest function: from an upload's event to the file's catalog item."""
