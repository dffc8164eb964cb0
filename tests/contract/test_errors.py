import inspect
from collections.abc import Iterator

import docker.errors
import pytest
import requests.exceptions
import urllib3.exceptions

from kitlib import errors
from kitlib.engine import errors as engine
from kitlib.errors import ApiError, EngineError, KitError
from kitlib.kube import client as kube
from kitlib.kube import connection


def _classes(module: object, base: type[BaseException]) -> Iterator[type[BaseException]]:
    for _, cls in inspect.getmembers(module, inspect.isclass):
        if issubclass(cls, base) and cls is not Exception and cls.__module__ == getattr(module, "__name__", ""):
            yield cls


def _bare(cls: type[BaseException]) -> BaseException:
    """An instance without its constructor, whose arguments differ from class to class; with what all of them are read for."""
    made = cls.__new__(cls)
    texts = dict.fromkeys(("reason", "body", "explanation", "msg", "name", "param"), "broken")
    for name, value in {"status": 500, "partial": 0, "expected": 0, "length": b"", **texts}.items():
        made.__dict__[name] = value
    return made


DOCKER = list(_classes(docker.errors, docker.errors.DockerException))
REQUESTS = [requests.exceptions.ConnectionError, requests.exceptions.ReadTimeout]


@pytest.mark.parametrize("cls", [*DOCKER, *REQUESTS], ids=lambda c: c.__name__)
def test_every_docker_error_is_mapped(cls: type[BaseException]) -> None:
    """Whatever the docker package raises comes out as an EngineError with a next step."""
    with pytest.raises(EngineError) as caught, engine.mapped("testing"):
        raise _bare(cls)

    assert caught.value.hint


API = [*_classes(urllib3.exceptions, urllib3.exceptions.HTTPError), connection.StatusError]


@pytest.mark.parametrize("cls", API, ids=lambda c: c.__name__)
def test_every_error_of_the_api_is_mapped(cls: type[BaseException]) -> None:
    """Whatever a request to the API server can raise comes out as an ApiError with a next step."""
    with pytest.raises(ApiError) as caught, kube.mapped("testing"):
        raise _bare(cls)

    assert caught.value.hint


def test_one_base() -> None:
    """Every error of the kit is a KitError, and is drawn in the tree at the top of errors.py."""
    drawn = errors.__doc__ or ""
    for cls in _classes(errors, Exception):
        assert issubclass(cls, KitError)
        assert cls.__name__ in drawn


def test_an_error_shows_evidence_and_next_step() -> None:
    """The text of an error is the message, then what was observed, then what to do."""
    text = str(KitError("it broke", observed=["pod a: Pending"], hint="./kit status"))

    assert text == "it broke\n  pod a: Pending\nnext: ./kit status"
