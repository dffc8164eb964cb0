"""What several files of unit tests need."""

import pytest


@pytest.fixture
def no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """No container engine answers; by TCP, as the docker package leaks the socket of a Unix address without a listener."""
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "*")
