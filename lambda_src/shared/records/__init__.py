"""Record files: streamed, validated, cleaned. One file for each format, one for each schema."""
