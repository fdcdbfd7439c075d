"""What files cost: counted on the local cloud, times a table of prices. ``python -m tools.costs`` counts anew."""
