"""Clients of what the stacks collect, a module a signal: asked through the API server, so that no port is opened on this machine."""
