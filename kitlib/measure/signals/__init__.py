"""Logs, metrics, traces and alerts."""
