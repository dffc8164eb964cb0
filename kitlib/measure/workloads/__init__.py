"""Deployments, Services, ConfigMaps, routes."""
