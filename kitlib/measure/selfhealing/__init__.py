"""Probes and restarts."""
