"""Go cells without Go: what is written, how remarks point into the cell, what a profile's text says."""

from pathlib import Path

import pytest

from kitlib.errors import GoFailed, UsageError
from kitlib.golang import findings, magics, profile, toolchain
from kitlib.golang.findings import Finding
from kitlib.golang.workspace import Cell, Module

BODY = 'func main() {\n\tgreeting := "hällo"; fmt.Println(greting)\n}\n'


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Module:
    monkeypatch.setenv("KIT_HOME", str(tmp_path))
    return Module.open("chapter")


@pytest.mark.parametrize(
    ("name", "test", "file", "package"),
    [
        ("hello", False, "hello/main.go", "hello"),
        ("hello", True, "hello/hello_test.go", "hello"),
        ("internal/stock", True, "internal/stock/stock_test.go", "internal/stock"),
        ("shop/show.go", False, "shop/show.go", "shop"),
    ],
)
def test_a_name_is_a_file(name: str, test: bool, file: str, package: str) -> None:
    """A package's name stands for its main.go, or its test file; a name with .go is the file itself."""
    cell = Cell.of(name, name, BODY, test=test)

    assert (file, package) == (cell.file, cell.package)


@pytest.mark.parametrize("name", ["../away", "main.go", "a//b", ".hidden", "Big Name", "a/../b", "x.txt"])
def test_a_name_stays_in_the_module(name: str) -> None:
    """A name that is no file of a package below the module is refused."""
    with pytest.raises(UsageError, match="names no file"):
        Cell.of(name, name, BODY)


@pytest.mark.parametrize("name", ["", "..", "../away", "a/b", "/", ".", "Big Name"])
def test_a_module_stays_in_the_state_folder(name: str) -> None:
    """What `undo` removes is below one folder: a name that leads elsewhere is refused."""
    with pytest.raises(UsageError, match="names no module"):
        Module.at(name)


def test_lines_of_the_file_are_lines_of_the_cell() -> None:
    """Whatever the cell leaves out, its second line is the file's second line."""
    part = Cell.of("hello", "hello --import fmt,os", BODY, imports=("fmt", "os"))
    whole = Cell.of("hello", "hello", f"package main\n\n{BODY}")

    assert part.text == f'package main; import ("fmt"; "os")\n{BODY}'
    assert whole.text == f"// %%go hello\npackage main\n\n{BODY}"


def test_imports_go_with_a_cell_without_package_clause() -> None:
    """Imports in two places would contradict each other."""
    with pytest.raises(UsageError, match="package clause"):
        Cell.of("hello", "hello --import fmt", f"package main\n\n{BODY}", imports=("fmt",))


@pytest.mark.parametrize("line", ["hello --tset", "hello other", "hello --import"])
def test_unknown_words_are_refused(module: Module, line: str) -> None:
    """A misspelt option says how the magic is used, and nothing is written."""
    with pytest.raises(UsageError, match="usage: %%go"):
        magics.run_cell(module, line, BODY)

    assert [path.name for path in module.folder.iterdir()] == ["go.mod"]


OUTPUT = """\
# kit.local/chapter/hello
hello/main.go:3:2: declared and not used: greeting
hello/main.go:3:37: undefined: greting
./hello/main.go:3:37: undefined: greting
hello/other.go:7:9: not enough arguments in call to f
\thave ()
\twant (int)
vet: hello/main.go:2:1: missing return
too many errors
"""


def test_remarks_are_read_from_the_output() -> None:
    """Headers and tails are no remarks; a remark goes on below, is given once, and vet's prefix is not a part of it."""
    found = findings.parse(OUTPUT)

    assert found == [
        Finding("hello/main.go", 3, 2, "declared and not used: greeting"),
        Finding("hello/main.go", 3, 37, "undefined: greting"),
        Finding("hello/other.go", 7, 9, "not enough arguments in call to f have () want (int)"),
        Finding("hello/main.go", 2, 1, "missing return"),
    ]


def test_a_remark_points_into_the_cell(module: Module) -> None:
    """The line is quoted, and the caret is under its column, which Go counts in bytes and tabs."""
    cell = Cell.of("hello", "hello --import fmt", BODY, imports=("fmt",))
    module.write(cell.file, cell.text)
    shown = findings.quoted([Finding(cell.file, 3, 36, "undefined: greting")], module, cell)

    assert shown[0] == "line 3: undefined: greting"
    assert shown[1][shown[2].index("^") :] == "greting)"


def test_a_remark_on_the_first_line_quotes_the_magic(module: Module) -> None:
    """The file has the imports there, which the learner wrote behind %%go."""
    cell = Cell.of("hello", "hello --import fmt,os", BODY, imports=("fmt", "os"))
    module.write(cell.file, cell.text)
    shown = findings.quoted([Finding(cell.file, 1, 30, '"os" imported and not used')], module, cell)

    assert shown == ['line 1: "os" imported and not used', "    %%go hello --import fmt,os"]


def test_a_remark_on_another_file_names_it(module: Module) -> None:
    """A package has more files than this cell's."""
    module.write("hello/other.go", "package main\n\nvar x = y\n")
    shown = findings.quoted([Finding("hello/other.go", 3, 9, "undefined: y")], module, Cell.of("hello", "hello", BODY))

    assert shown == ["hello/other.go, line 3: undefined: y", "    var x = y", "            ^"]


PANIC = """\
panic: assignment to entry in nil map

goroutine 1 [running]:
internal/runtime/maps.(*Map).PutSlot(...)
\tinternal/runtime/maps/map.go:500 +0x1
main.main()
\tkit.local/chapter/hello/main.go:3 +0x6d
"""


def test_a_panic_points_into_the_cell(module: Module) -> None:
    """The topmost place that is in the module, and not in Go's own library."""
    assert findings.crash(PANIC, module) == [
        Finding("hello/main.go", 3, 0, "panic: assignment to entry in nil map"),
    ]
    assert findings.crash("exit status 3\n", module) == []


def test_the_module_keeps_answers(module: Module) -> None:
    """Undo leaves what a learner wrote for an exercise; with the last of it the module goes."""
    module.write("hello/main.go", "package main\n")
    module.write("exercises/lines/main.go", "package main\n")
    module.undo()
    left = sorted(path.name for path in module.folder.iterdir())
    module.remove("exercises/lines")

    assert left == ["exercises", "go.mod"]
    assert not module.folder.exists()


TOP = """\
File: words.test
Type: cpu
Duration: 604.36ms, Total samples = 560ms (92.66%)
Showing nodes accounting for 560ms, 100% of 560ms total
      flat  flat%   sum%        cum   cum%
     210ms 37.50% 37.50%      210ms 37.50%  runtime.memmove
         0     0% 37.50%      350ms 62.50%  example.org/words.join (inline)
  1.50ms 0.27% 37.77%  2.25ms  0.4%  main.(*T).f[go.shape.int]
"""


def test_a_profile_is_a_table() -> None:
    """Own time and total time in ms, one row per function, as pprof orders them."""
    table = profile.parse(TOP)

    assert [tuple(row) for row in table.itertuples(index=False)] == [
        ("runtime.memmove", 210.0, 210.0),
        ("example.org/words.join", 0.0, 350.0),
        ("main.(*T).f[go.shape.int]", 1.5, 2.25),
    ]


def test_a_profile_is_drawn() -> None:
    """The drawing has its words for those who do not see it."""
    drawn = profile.draw(profile.parse(TOP), "Where it goes")

    assert drawn.svg.startswith("<svg")
    assert "runtime.memmove 210 ms" in drawn.alt


def test_a_failure_is_shown_without_a_traceback() -> None:
    """IPython shows the words of the error, and none of the kit's own lines."""
    error = GoFailed("hello does not compile", observed=["line 3: undefined: x"], hint="look there")

    assert error._render_traceback_() == [
        "GoFailed: hello does not compile",
        "  line 3: undefined: x",
        "next: look there",
    ]


def test_output_without_end_is_ended(module: Module) -> None:
    """A program that prints on and on is stopped, and said to be."""
    with pytest.raises(GoFailed, match="more than 2000 lines"):
        toolchain.run(module, Path("/bin/sh"), ["-c", "while :; do echo again; done"])
