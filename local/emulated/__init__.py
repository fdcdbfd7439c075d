"""What the emulator's own process runs."""
