"""Dockerfiles, images and containers."""
