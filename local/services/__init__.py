"""One file for each AWS service: how a declared resource is made on the emulator."""
