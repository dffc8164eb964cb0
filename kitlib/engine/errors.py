"""Errors of the docker package, as errors of the kit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import docker.errors
import requests

from kitlib.errors import EngineError


@contextmanager
def mapped(doing: str) -> Iterator[None]:
    """Turn errors of the docker package into EngineError."""
    try:
        yield
    except docker.errors.NotFound as e:
        raise EngineError(f"{doing}: {e.explanation or e}", hint="./kit images list") from e
    except docker.errors.APIError as e:
        raise EngineError(f"{doing}: {e.explanation or e}", hint="./kit doctor") from e
    except (docker.errors.DockerException, requests.exceptions.RequestException) as e:
        raise EngineError(f"{doing}: the container engine does not answer ({e})", hint="./kit doctor") from e
