"""The headless commands: one file a command, found by name. Each holds `command`."""
