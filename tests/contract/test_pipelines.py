from pathlib import Path

import pytest

from kitlib.errors import CommandFailed
from kitlib.pipelines import FOLDER, STEPS, check, files


@pytest.mark.parametrize("name", files.rendered())
def test_a_pipeline_is_what_the_steps_say(name: str) -> None:
    """Each committed file is the one that `python -m kitlib.pipelines` makes of steps.toml."""
    assert (FOLDER / name).read_text() == files.rendered()[name]


def test_the_steps_are_those_of_the_guide_and_more() -> None:
    """Build, tag, log in, push and deploy in the guide's order; a test before the push, and a look at what serves at the end."""
    assert [step.name for step in STEPS] == ["build", "test", "tag", "login", "push", "deploy", "verify"]


def test_only_the_login_has_the_password() -> None:
    """The password is in the script of `login` alone, and no script has it as an argument."""
    scripts = {s.name: s.run for s in STEPS if "REGISTRY_PASSWORD" in s.run}

    assert list(scripts) == ["login"]
    assert "--password-stdin" in scripts["login"]


BROKEN = {
    files.GITHUB: ("runs-on:", "run-on:"),
    files.GITLAB: ("script:", "scripts:"),
    files.JENKINS: ("stages {", "stages "),
}


@pytest.mark.parametrize(("name", "change"), BROKEN.items(), ids=lambda v: str(v))
def test_a_broken_pipeline_is_refused(name: str, change: tuple[str, str], tmp_path: Path) -> None:
    """A key that is no key, and a bracket that is missing, are found by the schema or the grammar."""
    broken = tmp_path / name
    broken.write_text(files.rendered()[name].replace(*change, 1))

    assert not check.valid(broken)
    with pytest.raises(CommandFailed):
        check.check(broken)
