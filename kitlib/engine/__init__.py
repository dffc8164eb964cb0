"""The container engine: its client, commands inside containers, and the daemon that the kit starts where none runs."""
