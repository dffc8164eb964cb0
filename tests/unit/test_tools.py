"""Pinned tools: their versions, what makes them be built again, and what a build sees of the machine."""

import json
import os
import shutil
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kitlib.errors import BuildFailed, InputError, SetupError
from kitlib.host import proc, tools

SETTINGS = "GOFLAGS GOTOOLCHAIN GOWORK GOEXPERIMENT GOOS GOARCH GOAMD64 GO111MODULE GODEBUG CC CGO_CFLAGS"
GO = """\
#!/bin/sh
env > "{record}.env"
echo "$PWD $*" >> "{record}"
if [ -s "{record}.fail" ]; then echo "main.go:1: $(cat "{record}.fail")"; exit 1; fi
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
    """The calls of a `go` that makes an empty file, or fails with the words in record.fail."""
    go, record = tmp_path / "go", tmp_path / "record"
    go.write_text(GO.replace("{record}", str(record)))
    go.chmod(0o755)
    monkeypatch.setattr(tools, "go", lambda: go)
    return record


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


BAD_MODULES = {
    "[kind": "line 1: is not TOML",
    "kind = 'x'": "line 1 (kind): 'kind' is no table",
    "[kind]\ncgo = true": "line 1 (kind): of is missing",
    "[kind]\nof = 'x'\n\nldflag = ''": "line 4 (kind): unknown key 'ldflag'",
    "[kind]\nof = 'x'\ncgo = 1": "line 3 (kind): cgo is 1, where a bool is needed",
    "[kind]\nof = 'x'\nldflags = '{versoin}'": "line 3 (kind): ldflags knows {version}, {major} and {minor}, not 'versoin'",
    "[kind]\nof = 'x'\nldflags = '{'": "line 3 (kind): ldflags knows ",
    "[nope]\nof = 'x'": "line 1 (nope): there is no cluster/modules/nope/go.mod",
    "['../kind']\nof = 'x'": "line 1 (../kind): '../kind' is not a name",
}


@pytest.mark.parametrize("text", BAD_MODULES)
def test_broken_list_of_modules(text: str, module: tools.Module) -> None:
    """A modules.toml that cannot be used is one line with file, line and entry, and a next step."""
    file = module.folder.parent / "modules.toml"
    file.write_text(text)
    tools.modules.cache_clear()
    with pytest.raises(InputError) as caught:
        tools.modules()

    assert caught.value.message.startswith(f"{file}, line ")
    assert BAD_MODULES[text] in caught.value.message
    assert len(str(caught.value).splitlines()) == 2


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
    assert [call.split()[:3] for call in calls] == [
        [str(module.folder), "list", "-deps"],
        [str(module.folder), "build", "-v"],
    ]
    assert again != built[0]
    assert [p.name for folder in (built[0], again) for p in folder.iterdir()] == ["made", "made"]
    assert len(record.read_text().splitlines()) == 4


def test_failed_build_leaves_nothing(module: tools.Module, record: Path) -> None:
    """A build that fails raises with the compiler's words, and the next call builds again."""
    record.with_suffix(".fail").write_text("undefined: x")
    with pytest.raises(BuildFailed) as caught:
        tools.build("kind")
    record.with_suffix(".fail").unlink()
    built = tools.build("kind")

    assert caught.value.observed == ("main.go:1: undefined: x",)
    assert [call.split()[1] for call in record.read_text().splitlines()] == ["list", "list", "build"]
    assert built.name == f"kind-{module.inputs()}"


def test_a_cache_in_use_is_left(record: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Another program fills Go's build cache while it is emptied: a message says so, and nothing stops."""
    record.with_suffix(".fail").write_text("directory not empty")
    tools.trim_build_cache()

    assert record.read_text().endswith(" clean -cache\n")
    assert "was not emptied: main.go:1: directory not empty" in capsys.readouterr().err


def test_what_is_compiled_is_counted(module: tools.Module, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the packages that a tool is made of, `go build -v` names those that it compiles; other lines are shown as they are."""
    seen: list[str] = []
    listed = {"list": "errors\nexample.org/a\nexample.org/b\n", "build": ""}

    def run(argv: list[str], *, on_line: Callable[[str], None], **_: Any) -> str:
        what = "list" if "list" in argv else "build"
        for line in ("go: downloading example.org/a v1",) if what == "list" else ("errors", "example.org/b"):
            on_line(line)
        return listed[what]

    monkeypatch.setattr(proc, "run", run)
    folder = module.folder / "out"
    tools._compile(module, folder, seen.append)

    assert seen == ["go: downloading example.org/a v1", "1 of at most 3 packages", "2 of at most 3 packages"]
    assert folder.is_dir()


@pytest.mark.usefixtures("module")
def test_build_without_c(record: Path) -> None:
    """A module is built without cgo unless it asks for it."""
    tools.build("kind")

    assert "CGO_ENABLED=0" in record.with_suffix(".env").read_text().splitlines()


@pytest.mark.usefixtures("module")
def test_modes_of_a_build_do_not_depend_on_the_umask(record: Path) -> None:
    """What is built goes into images, where another user runs it."""
    before = os.umask(0o077)
    try:
        built = tools.build("kind")
    finally:
        os.umask(before)

    assert record.exists()
    assert [stat.S_IMODE(p.stat().st_mode) for p in (built, built / "made")] == [0o755, 0o644]


def test_go_sees_nothing_of_the_users_shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The user's flags, toolchain, workspace, target and caches do not reach Go; what is built is for this machine."""
    monkeypatch.setenv("KIT_CACHE", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    for name in SETTINGS.split():
        monkeypatch.delenv(name, raising=False)
    plain = [*SETTINGS.split(), "GOPATH", "GOBIN"]
    before = _go_says(tmp_path, plain)
    theirs = {"GOFLAGS": "-mod=mod", "GOTOOLCHAIN": "go1.20", "GOWORK": "/work", "GOOS": "plan9", "GOARCH": "arm"}
    theirs |= {"GOAMD64": "v4", "GO111MODULE": "off", "GODEBUG": "madvdontneed=1", "CC": "tcc", "CGO_CFLAGS": "-O0"}
    theirs |= {"GOEXPERIMENT": "rangefunc", "GOROOT": "/go", "GOCACHE": "/c", "GOPATH": "/p", "GOBIN": "/b"}
    for name, value in theirs.items():
        monkeypatch.setenv(name, value)
    file = tmp_path / "go" / "env"
    file.parent.mkdir()
    file.write_text("".join(f"{name}={value}\n" for name, value in theirs.items()))

    assert _go_says(tmp_path, plain) == before
    assert (before["GOFLAGS"], before["GOTOOLCHAIN"], before["GOAMD64"]) == ("-buildvcs=false", "local", "v1")
    assert _go_says(tmp_path, ["GOMODCACHE", "GOCACHE", "GOROOT"]) == {
        "GOMODCACHE": f"{tmp_path}/gomod",
        "GOCACHE": f"{tmp_path}/gobuild",
        "GOROOT": str(tools.goroot()),
    }


@pytest.mark.parametrize("by", ["variable", "go env -w", "GOENV"])
def test_go_takes_modules_where_the_user_takes_them(by: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module proxy counts, whether it is set by a variable or in the file that `go env -w` writes, wherever that is."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv("GOPROXY", raising=False)
    file = tmp_path / ("mine" if by == "GOENV" else "go/env")
    file.parent.mkdir(exist_ok=True)
    if by == "variable":
        monkeypatch.setenv("GOPROXY", "https://mine.example")
    else:
        file.write_text("GOAMD64=v4\nGOPROXY=https://mine.example\n")
    if by == "GOENV":
        monkeypatch.setenv("GOENV", str(file))

    assert _go_says(tmp_path, ["GOPROXY", "GOAMD64"]) == {"GOPROXY": "https://mine.example", "GOAMD64": "v1"}


def _go_says(folder: Path, names: list[str]) -> dict[str, str]:
    said = proc.run([tools.go(), "env", "-json", *names], env=tools.go_env(), cwd=folder)
    return dict(json.loads(said))
