"""The forwarding function: queues every finished file for delivery."""
