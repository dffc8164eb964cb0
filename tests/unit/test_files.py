"""The learner's files of a chapter: copied once, never overwritten, shown, compared and brought back."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from kitlib import paths
from kitlib.errors import InputError, UsageError
from kitlib.learning import starters
from kitlib.learning.files import Files, files

DEPLOYMENT = "kind: Deployment\nspec:\n  replicas: 3  # three\n  strategy:\n    maxSurge: 1\n"


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The starter files of a chapter, and an empty folder of the learner."""
    folder = tmp_path / "files" / "9.9-chapter"
    folder.mkdir(parents=True)
    (folder / "deployment.yaml").write_text(DEPLOYMENT)
    (folder / "guide.yaml").write_text(DEPLOYMENT.replace("maxSurge: 1", "maxSurge: 0"))
    (folder / "run.sh").write_text("exit 1\n")
    (folder / "run.sh").chmod(0o755)
    monkeypatch.setattr(starters, "SOURCE", tmp_path / "files")
    monkeypatch.setenv("KIT_WORK", str(tmp_path / "work"))
    return folder


@pytest.fixture
def work(source: Path) -> Path:
    return source.parents[1] / "work" / source.name


def given(source: Path) -> Files:
    return files(source.name)


def test_starters_are_copied_once(source: Path, work: Path) -> None:
    """The first call copies them, modes included; a file that was removed comes back; nothing changes where the process works."""
    before = Path.cwd()
    given(source)
    (work / "guide.yaml").unlink()
    found = given(source)

    assert set(found.folder.states().values()) == {"as given"}
    assert found.path("deployment.yaml").read_text() == DEPLOYMENT
    assert os.access(work / "run.sh", os.X_OK) and not os.access(work / "guide.yaml", os.X_OK)
    assert Path.cwd() == before


def test_what_is_there_is_not_overwritten(source: Path, work: Path) -> None:
    """Neither a changed file nor one that the kit has changed since, nor one that the learner had under that name before."""
    work.mkdir(parents=True)
    (work / "guide.yaml").write_text("mine before\n")
    (work / "notes.txt").write_text("mine\n")
    given(source)
    (work / "deployment.yaml").write_text("changed\n")
    (source / "run.sh").write_text("exit 2\n")
    (source / "new.yaml").write_text("kind: Service\n")
    found = given(source)

    assert found.folder.states() == {
        "deployment.yaml": "changed by you",
        "guide.yaml": "yours",
        "new.yaml": "as given",
        "run.sh": "as given by an earlier version",
        "notes.txt": "yours",
    }
    assert (work / "guide.yaml").read_text() == "mine before\n"
    assert (work / "run.sh").read_text() == "exit 1\n"
    assert "changed by you" in repr(found) and "changed by you" in found._repr_html_()


def test_a_damaged_record_overwrites_nothing(source: Path, work: Path) -> None:
    """Without the hashes, a changed file counts as the learner's own, and an unchanged one is known by its content."""
    given(source)
    (work / "deployment.yaml").write_text("changed\n")
    (work / starters.GIVEN).write_text("{")
    found = given(source)

    assert found.folder.states() == {"deployment.yaml": "yours", "guide.yaml": "as given", "run.sh": "as given"}
    assert (work / "deployment.yaml").read_text() == "changed\n"
    assert json.loads((work / starters.GIVEN).read_text()).keys() == {"guide.yaml", "run.sh"}


def test_reset_brings_back_and_keeps(source: Path, work: Path) -> None:
    """One file, or all; what the learner wrote is kept beside it; a link is replaced, and not written through."""
    found = given(source)
    outside = work.parent / "outside"
    outside.write_text("not ours\n")
    (work / "deployment.yaml").write_text("changed\n")
    (work / "guide.yaml").unlink()
    (work / "guide.yaml").symlink_to(outside)
    said = found.reset("deployment.yaml")
    found.reset()

    assert repr(said) == "deployment.yaml is as given; yours is now deployment.yaml.bak"
    assert (work / "deployment.yaml").read_text() == DEPLOYMENT
    assert (work / "deployment.yaml.bak").read_text() == "changed\n"
    assert not (work / "guide.yaml").is_symlink() and outside.read_text() == "not ours\n"
    with pytest.raises(InputError, match="no starter"):
        found.reset("outside")


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "/etc/passwd", "a/b", ".given.json", "a\nb", "\x00"])
def test_a_name_that_leads_elsewhere_is_refused(name: str, source: Path) -> None:
    """The next step names the files that there are."""
    found = given(source)
    for act in (found.path, found.show, found.diff, found.manifests):
        with pytest.raises(InputError) as caught:
            act(name)

        assert "deployment.yaml" in caught.value.hint


def test_a_link_is_followed_only_inside(source: Path, work: Path) -> None:
    """A link to a file of the folder is a file; one that leads out, or in a circle, is refused, and copying does not write through it."""
    work.mkdir(parents=True)
    secret = work.parent / "secret"
    (work / "deployment.yaml").symlink_to(secret)  # does not exist
    found = given(source)
    (work / "twin.yaml").symlink_to("guide.yaml")
    (work / "circle").symlink_to("circle")
    secret.write_text("hunter2\n")

    assert "maxSurge: 0" in repr(found.show("twin.yaml"))
    for name in ("deployment.yaml", "circle"):
        with pytest.raises(InputError, match=r"link|not there"):
            found.show(name)
    (work.parent / "9.9-chapter").rename(work.parent / "moved")
    (work.parent / "9.9-chapter").symlink_to(paths.ROOT)
    with pytest.raises(InputError, match="link that leads elsewhere"):
        given(source)


def test_notes_stand_beside_their_line(source: Path, work: Path) -> None:
    """Beside the first line that has the key; below the file when the learner took the line out; an unknown key is an error."""
    found = given(source)
    notes = {"replicas": "how *many*", "maxSurge": "how many `more`"}
    shown = found.show("deployment.yaml", notes)
    (work / "deployment.yaml").write_text("kind: Deployment\nspec: <b>\n")
    changed = found.show("deployment.yaml", {"maxSurge": "how many more"})

    assert "  3   replicas: 3  # three   ← how *many*" in repr(shown).splitlines()
    assert "← how many <code>more</code>" in shown._repr_html_()
    assert repr(changed).splitlines()[-1] == "no line has maxSurge now: how many more"
    assert "&lt;b&gt;" in changed._repr_html_() and "<b>" not in changed._repr_html_()
    with pytest.raises(UsageError, match="contains 'maxSuurge'"):
        found.show("deployment.yaml", {"maxSuurge": "?"})


def test_a_difference_is_a_unified_diff(source: Path, work: Path) -> None:
    """Of two files, or of a file and what was given."""
    found = given(source)
    lines = repr(found.diff("deployment.yaml", "guide.yaml")).splitlines()
    same = repr(found.diff("deployment.yaml"))
    (work / "deployment.yaml").write_text(DEPLOYMENT + "more: true\n")

    assert lines[:2] == ["--- deployment.yaml", "+++ guide.yaml"]
    assert [line for line in lines[2:] if line[0] in "+-"] == ["-    maxSurge: 1", "+    maxSurge: 0"]
    assert same == "deployment.yaml as given and deployment.yaml have the same lines."
    assert repr(found.diff("deployment.yaml")).endswith("+more: true")


def test_manifests_are_objects(source: Path, work: Path) -> None:
    """Each document, and each item of a List; wrong YAML is refused with its line."""
    found = given(source)
    (work / "two.yaml").write_text("---\nkind: A\n---\n---\nkind: List\nitems:\n- kind: B\n- kind: C\n")

    assert [each["kind"] for each in found.manifests("two.yaml")] == ["A", "B", "C"]
    for text, said in {
        "kind: A\n  spec: 1\n": "line 2 is not YAML",
        "kind: A\nkind: B\n": "line 2: the key 'kind' is given twice",
        "- 1\n": "an object with a kind",
        "\tkind: A\n": "line 1 is not YAML",
    }.items():
        (work / "deployment.yaml").write_text(text)
        with pytest.raises(InputError) as caught:
            found.manifests("deployment.yaml")
        assert said in caught.value.message and "files.reset('deployment.yaml')" in caught.value.hint
    (work / "deployment.yaml").unlink()
    with pytest.raises(InputError, match="not there"):
        found.manifests("deployment.yaml")


def test_an_unknown_chapter(source: Path) -> None:
    """The error names the chapter that comes close."""
    with pytest.raises(UsageError) as caught:
        files("9.9-chaptre")

    assert source.name in caught.value.hint
