"""Debugging and live reload."""
