"""The API's function: records and uploads in, the catalog out."""
