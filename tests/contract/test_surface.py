from types import ModuleType

import pytest

import kitlib

LIMIT = 25


def test_all_is_the_public_surface() -> None:
    """`__all__` is sorted, small, and every name of it can be had."""
    names = kitlib.__all__

    assert names == sorted(names)
    assert len(names) <= LIMIT
    assert names == list(kitlib._HOME)
    assert [name for name in names if not (callable(it := getattr(kitlib, name)) or isinstance(it, ModuleType))] == []


def test_a_name_that_is_not_there_says_what_is() -> None:
    """A misspelt name is an AttributeError that lists the right ones."""
    with pytest.raises(AttributeError, match="experiment"):
        _ = kitlib.experimnt
