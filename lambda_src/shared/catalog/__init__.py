"""The catalog: one item for each object version. Its model, its writers and its reader, for functions and operators."""
