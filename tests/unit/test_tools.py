"""Pinned tools: their versions, what makes them be built again, and what a build sees of the machine."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from kitlib import proc, tools
from kitlib.errors import BuildFailed, SetupError

GO = """\
#!/bin/sh
env > "$RECORD.env"
echo "$PWD $*" >> "$RECORD"
[ -z "$FAIL" ] || { echo "main.go:1: $FAIL"; exit 1; }
for word; do case $word in */) : > "$word/made" ;; esac; done
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tools.Module:
    """A copy of the module of kind, in a folder of its own."""
    kind = tools.modules()["kind"]
    shutil.copytree(tools.MODULES / "kind", tmp_path / "modules" / "kind")
    monkeypatch.setattr(tools, "MODULES", tmp_path / "modules")
    monkeypatch.setenv("KIT_CACHE", str(tmp_path / "cache"))
    return kind


@pytest.fixture
def record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The calls of a `go` that makes an empty file, or fails with $FAIL."""
    go = tmp_path / "go"
    go.write_text(GO)
    go.chmod(0o755)
    monkeypatch.setattr(tools, "go", lambda: go)
    monkeypatch.setenv("RECORD", str(tmp_path / "record"))
    monkeypatch.setenv("FAIL", "")
    return tmp_path / "record"


@pytest.mark.parametrize(
    ("required", "version"),
    [
        ("require example.org/tool v1.2.3", "1.2.3"),
        ("\texample.org/tool v29.9.2+incompatible // indirect", "29.9.2"),
        ("\texample.org/tool v2.0.0-beta.22", "2.0.0-beta.22"),
        ("\texample.org/tool/api v9.9.9\n\texample.org/tool v1.0.0", "1.0.0"),
    ],
)
def test_version_is_go_mods(required: str, version: str, module: tools.Module) -> None:
    """A module's version is the one that go.mod requires, without the v and without +incompatible."""
    (module.folder / "go.mod").write_text(f"module kit.local/x\n\n{required}\n")

    assert replace(module, of="example.org/tool").version == version


def test_versions_of_all_modules() -> None:
    """Every module of modules.toml has a version; the kit's own are 0.0.0."""
    versions = {name: m.version for name, m in tools.modules().items()}

    assert versions["pause"] == "0.0.0"
    assert [name for name, v in versions.items() if not v[0].isdigit() or "+" in v or v.count(".") < 2] == []


def test_go_mod_without_the_module(module: tools.Module) -> None:
    """A go.mod that does not require what names the version is an error that names both."""
    with pytest.raises(SetupError, match=r"^cluster/modules/kind/go.mod does not require example.org/other"):
        _ = replace(module, of="example.org/other").version


@pytest.mark.parametrize("file", ["go.mod", "go.sum", "main.go"])
def test_changed_files_are_new_inputs(file: str, module: tools.Module) -> None:
    """A pin, a checksum or a source file that changes or appears gives other inputs; the same files give the same."""
    before = [module.inputs(), module.inputs()]
    with (module.folder / file).open("a") as f:
        f.write("// changed\n")

    assert before[0] == before[1]
    assert module.inputs() != before[0]


@pytest.mark.parametrize("flag", [{"cgo": True}, {"tags": "netgo"}, {"ldflags": "-X a=b"}, {"gcflags": "-N"}])
def test_changed_flags_are_new_inputs(flag: dict[str, str], module: tools.Module) -> None:
    """A flag that changes gives other inputs."""
    assert replace(module, **flag).inputs() != module.inputs()  # type: ignore[arg-type]


def test_new_go_is_new_inputs(module: tools.Module, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another Go gives other inputs."""
    before = module.inputs()
    monkeypatch.setattr(tools, "go_version", lambda: "1.99.0")

    assert module.inputs() != before


def test_version_reaches_the_linker(module: tools.Module) -> None:
    """The version in go.mod is what the tool will say of itself."""
    (module.folder / "go.mod").write_text("require example.org/tool v1.37.2\n")
    flags = replace(module, of="example.org/tool", ldflags="-X v={version} -X m={major}.{minor}").flags()

    assert flags == ["-trimpath", "-ldflags", "-s -w -X v=1.37.2 -X m=1.37"]


def test_build_that_is_there_costs_no_build(module: tools.Module, record: Path) -> None:
    """What was built from the same inputs is given back at once; other inputs are built beside it."""
    built = [tools.build("kind"), tools.build("kind")]
    calls = record.read_text().splitlines()
    with (module.folder / "go.sum").open("a") as f:
        f.write("changed\n")
    again = tools.build("kind")

    assert built[0] == built[1]
    assert len(calls) == 1 and calls[0].startswith(f"{module.folder} build -trimpath ")
    assert again != built[0]
    assert [p.name for folder in (built[0], again) for p in folder.iterdir()] == ["made", "made"]
    assert len(record.read_text().splitlines()) == 2


def test_failed_build_leaves_nothing(module: tools.Module, record: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A build that fails raises with the compiler's words, and the next call builds again."""
    monkeypatch.setenv("FAIL", "undefined: x")
    with pytest.raises(BuildFailed) as caught:
        tools.build("kind")
    monkeypatch.setenv("FAIL", "")
    built = tools.build("kind")

    assert caught.value.observed == ("main.go:1: undefined: x",)
    assert len(record.read_text().splitlines()) == 2
    assert built.name == f"kind-{module.inputs()}"


def test_a_cache_in_use_is_left(
    record: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Another program fills Go's build cache while it is emptied: that is said, and stops nothing."""
    monkeypatch.setenv("FAIL", "directory not empty")
    tools.trim_build_cache()

    assert record.read_text().endswith(" clean -cache\n")
    assert "was not emptied: main.go:1: directory not empty" in capsys.readouterr().err


@pytest.mark.usefixtures("module")
def test_build_without_c(record: Path) -> None:
    """A module is built without cgo unless it asks for it."""
    tools.build("kind")

    assert "CGO_ENABLED=0" in record.with_suffix(".env").read_text().splitlines()


def test_go_sees_nothing_of_the_users_shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The user's flags, toolchain, workspace, target and caches do not reach Go; what is built is for this machine."""
    monkeypatch.setenv("KIT_CACHE", str(tmp_path))
    monkeypatch.setenv("GOENV", "off")
    names = ["GOFLAGS", "GOTOOLCHAIN", "GOWORK", "GOEXPERIMENT", "GOOS", "GOARCH", "GOMODCACHE", "GOCACHE", "GOROOT"]
    machine = proc.run([tools.go(), "env", "GOHOSTOS", "GOHOSTARCH"]).split()
    theirs = {"GOFLAGS": "-mod=mod", "GOTOOLCHAIN": "go1.20", "GOWORK": "/work", "GOOS": "plan9", "GOARCH": "arm"}
    for name, value in {**theirs, "GOEXPERIMENT": "rangefunc", "GOROOT": "/go", "GOCACHE": "/c"}.items():
        monkeypatch.setenv(name, value)
    seen = proc.run([tools.go(), "env", *names], env=tools.go_env(), cwd=tmp_path).splitlines()

    assert dict(zip(names, seen, strict=True)) == {
        "GOFLAGS": "-buildvcs=false",
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
        "GOEXPERIMENT": "",
        "GOOS": machine[0],
        "GOARCH": machine[1],
        "GOMODCACHE": f"{tmp_path}/gomod",
        "GOCACHE": f"{tmp_path}/gobuild",
        "GOROOT": str(tools.goroot()),
    }
