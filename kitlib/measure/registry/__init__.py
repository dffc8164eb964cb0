"""Registries: what crosses the wire, and how clients log in."""
