"""Modules that are loaded on first use, and what a misspelt name says."""

from __future__ import annotations

import sys
from operator import attrgetter
from pathlib import Path
from types import ModuleType

import pytest

import kitlib as kit
from kitlib import lazy

INIT = "from kitlib import lazy\n__all__ = ['there']\nthere = 1\n__getattr__, __dir__ = lazy.modules(__name__, f'{__name__}.part')\n"


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A package with a module, a module that needs something that is not installed, and a part with a module of its own."""
    folder = tmp_path / "some_room"
    (folder / "part").mkdir(parents=True)
    (folder / "__init__.py").write_text(INIT)
    (folder / "part" / "__init__.py").touch()
    (folder / "part" / "question.py").write_text("ANSWER = 42\n")
    (folder / "view.py").write_text("SEEN = 1\n")
    (folder / "_inner.py").touch()
    (folder / "needy.py").write_text("import no_such_library\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "some_room", raising=False)
    __import__("some_room")
    return sys.modules["some_room"]


def test_a_module_is_loaded_when_it_is_named(room: ModuleType) -> None:
    """Not before; and a module of a part, without the part's name."""
    before = {name for name in sys.modules if name.startswith("some_room.")}

    assert room.view.SEEN == 1
    assert room.question.ANSWER == 42
    assert before == set()


def test_a_room_lists_what_is_in_it(room: ModuleType) -> None:
    """For the Tab key: its own names, its modules and those of its parts, but nothing with an underscore."""
    assert dir(room) == ["needy", "part", "question", "there", "view"]


def test_what_a_module_lacks_is_said(room: ModuleType) -> None:
    """A library that is not installed is reported as such, and not as a missing name."""
    with pytest.raises(ModuleNotFoundError, match="no_such_library"):
        _ = room.needy


@pytest.mark.parametrize(
    ("misspelt", "said"),
    [
        ("experimnt", "kit has no 'experimnt': did you mean kit.experiment?"),
        ("view", "kit has no 'view': did you mean kit.views?"),
        ("rollout", "kit has no 'rollout': did you mean kit.workloads.rollout?"),
        ("size", "kit has no 'size': did you mean kit.measure.size?"),
        ("views.owner_treee", "kit.views has no 'owner_treee': did you mean kit.views.owner_tree?"),
        ("measure.rolouts", "kit.measure has no 'rolouts': did you mean kit.measure.rollouts?"),
        ("private_registry.ensur", "kit.private_registry has no 'ensur': did you mean kit.private_registry.ensure?"),
    ],
)  # fmt: skip
def test_a_misspelt_name(misspelt: str, said: str) -> None:
    """The error says which name is meant, wherever in the kit it is."""
    with pytest.raises(AttributeError) as error:
        attrgetter(misspelt)(kit)

    assert str(error.value) == said


def test_a_name_that_is_like_no_other() -> None:
    """Then the error lists what there is."""
    with pytest.raises(AttributeError, match=r"kit.stacks has no 'xyzzy': it has base, .*ingress, .*traces"):
        attrgetter("stacks.xyzzy")(kit)


def test_protocols_of_python_are_answered() -> None:
    """A name with underscores, which Python and IPython ask of any object, is missing in the ordinary way."""
    assert not hasattr(kit, "__wrapped__")
    assert not hasattr(kit.views, "_repr_html_")
    assert lazy.within("kitlib.no_such_room") == {}
