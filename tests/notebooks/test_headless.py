"""The papermill engine: nothing is lost, everything is timed, nothing secret is written."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import papermill
import psutil
import pytest
from nbclient.exceptions import DeadKernelError
from papermill.iorw import LocalHandler

from kitlib.cluster import bound as cluster
from kitlib.runner import headless, workplace

new: Any = nbformat.v4


@pytest.fixture(autouse=True)
def _no_cluster(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failing cell asks the cluster that is bound: here none is."""
    monkeypatch.setenv("KIT_HOME", str(tmp_path_factory.mktemp("home")))


def notebook(path: Path, *sources: str) -> Path:
    cells = [new.new_markdown_cell("# Title"), *(new.new_code_cell(source) for source in sources)]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    path.write_text(json.dumps(new.new_notebook(cells=cells, metadata=kernel)))
    return path


def run(path: Path, out: Path, **options: Any) -> Any:
    return papermill.execute_notebook(path, out, engine_name="kit", progress_bar=False, **options)


def load(path: Path) -> Any:
    return nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]


def test_each_code_cell_is_timed_and_the_file_is_not_written_for_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten cells are saved before and after the run, not between; a cell's own time does not count its neighbours'."""
    writes: list[str] = []
    original = LocalHandler.write

    def write(handler: LocalHandler, text: str, path: str) -> None:
        writes.append(path)
        original(handler, text, path)

    monkeypatch.setattr(LocalHandler, "write", write)
    source = notebook(tmp_path / "in.ipynb", "import time; time.sleep(0.3)", *["1 + 1"] * 9)

    nb = run(source, tmp_path / "out.ipynb")

    seconds = [cell.metadata.kit.seconds for cell in nb.cells[1:]]
    assert len(seconds) == 10
    assert 0.3 <= seconds[0] < 5
    assert all(0 < value < 0.3 for value in seconds[1:])
    assert all(cell.metadata.papermill.duration is not None for cell in nb.cells)
    assert len(writes) <= 3  # start, end, papermill's own last one
    assert [path.name for path in tmp_path.iterdir() if path.name != "in.ipynb"] == ["out.ipynb"]


def test_a_long_run_is_saved_between_cells(tmp_path: Path) -> None:
    """With autosave due after every cell, a later cell finds the earlier one's output in the file."""
    out = tmp_path / "out.ipynb"
    source = notebook(
        tmp_path / "in.ipynb", "print('first' + 'ly')", f"print(open({str(out)!r}).read().count('first' + 'ly'))"
    )

    nb = run(source, out, autosave_cell_every=1e-6)

    assert nb.cells[2].outputs[0].text == "1\n"


def test_a_failing_notebook_keeps_what_it_did_and_quotes_the_cluster(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The output before the failure is in the file; what the cluster said is in file, message and metadata, masked."""
    monkeypatch.setattr(cluster, "explain", lambda: ["pod shop-1: ImagePullBackOff", "password=hunter2"], raising=False)
    source = notebook(tmp_path / "in.ipynb", "print('before')", "1 / 0", "print('never')")

    with pytest.raises(papermill.PapermillExecutionError) as failure:
        run(source, tmp_path / "out.ipynb")

    text = (tmp_path / "out.ipynb").read_text()
    statuses = [c.metadata.papermill.status for c in load(tmp_path / "out.ipynb").cells if "papermill" in c.metadata]
    assert "before\\n" in text
    assert statuses == ["completed", "completed", "failed", "pending"]
    assert "division by zero" in str(failure.value)
    assert "ImagePullBackOff" in str(failure.value)
    assert load(tmp_path / "out.ipynb").metadata.kit.observed == ["pod shop-1: ImagePullBackOff", "password=[masked]"]
    assert "hunter2" not in text + str(failure.value)


def test_a_cluster_that_cannot_be_asked_does_not_hide_the_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When explain itself fails, the cell's own error is what is raised."""

    def explain() -> list[str]:
        raise OSError("no route to host")

    monkeypatch.setattr(cluster, "explain", explain, raising=False)

    with pytest.raises(papermill.PapermillExecutionError, match=r"(?s)division by zero.*no route to host"):
        run(notebook(tmp_path / "in.ipynb", "1 / 0"), tmp_path / "out.ipynb")


def test_a_dead_kernel_is_told_and_its_cell_is_marked(tmp_path: Path) -> None:
    """A kernel that dies leaves the notebook with the cell in which it died, and the cells after it as not run."""
    source = notebook(tmp_path / "in.ipynb", "print('before', flush=True)", "import os; os._exit(9)", "print('never')")

    with pytest.raises(Exception, match=r"[Kk]ernel died"):
        run(source, tmp_path / "out.ipynb")

    cells = load(tmp_path / "out.ipynb").cells
    assert [cell.metadata.papermill.status for cell in cells] == ["completed", "completed", "failed", "pending"]
    assert cells[1].outputs[0].text == "before\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_interrupted_run_leaves_its_partial_notebook_and_no_kernel(tmp_path: Path, number: signal.Signals) -> None:
    """`papermill --engine kit` on the command line, stopped in its second cell, has written the first one's output."""
    out, mark = tmp_path / "out.ipynb", tmp_path / "mark"
    os.mkfifo(mark)
    source = notebook(
        tmp_path / "in.ipynb",
        "print('be' + 'fore')",
        f"import os, time; open({str(mark)!r}, 'w').write(str(os.getpid())); time.sleep(60)",
    )
    command = [sys.executable, "-m", "papermill", "--engine", "kit", "--no-progress-bar", str(source), str(out)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        kernel = int(mark.read_text())  # blocks until the second cell runs
        process.send_signal(number)
        process.wait(30)

    cells = load(out).cells
    assert process.returncode != 0
    assert cells[1].outputs[0].text == "before\n"
    assert [cell.metadata.papermill.status for cell in cells] == ["completed", "completed", "failed"]
    assert not Path(f"/proc/{kernel}").exists()


def test_a_relative_output_path_is_taken_from_where_papermill_was_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--cwd` moves the kernel, not the output."""
    (tmp_path / "elsewhere").mkdir()
    notebook(tmp_path / "in.ipynb", "import os; print(os.getcwd())")
    monkeypatch.chdir(tmp_path)

    run(Path("in.ipynb"), Path("out.ipynb"), cwd="elsewhere")

    assert load(tmp_path / "out.ipynb").cells[1].outputs[0].text == f"{tmp_path / 'elsewhere'}\n"


def test_secrets_are_in_no_file_and_no_log(tmp_path: Path) -> None:
    """Printed, displayed, raised, passed as a parameter: none of it reaches the notebook, the log or the error."""
    log = tmp_path / "log.txt"
    source = notebook(
        tmp_path / "in.ipynb",
        "print('password=hunter2-' + 'printed')",
        "{'token': 'hunter2-' + 'shown'}",
        "raise RuntimeError('postgres://app:hunter2-' + 'raised@db/')",
    )
    with log.open("w") as stream, pytest.raises(papermill.PapermillExecutionError) as failure:
        run(source, tmp_path / "out.ipynb", parameters={"password": "hunter2-passed"}, stdout_file=stream)

    written = (tmp_path / "out.ipynb").read_text() + log.read_text() + str(failure.value)
    leaked = [word for word in ("printed", "shown", "raised", "passed") if f"hunter2-{word}" in written]
    assert leaked == []
    assert "password=[masked]" in written


def test_the_display_hook_masks_before_a_message_leaves_the_kernel(tmp_path: Path) -> None:
    """Under an engine that masks nothing, secrets are masked all the same, also those that a subprocess prints."""
    source = notebook(
        tmp_path / "in.ipynb",
        "from kitlib.masking import redact; ip = get_ipython(); redact.install(ip); redact.install(ip)",
        "redact.register('learned-value')",
        "print('a learned-value'); import sys; print('password=hunter2', file=sys.stderr)",
        "'a learned-value'",
        "display({'text/html': '<b>learned-value</b>', 'image/png': 'aGk='}, raw=True)",
        "!echo learned-value",
        "import subprocess; subprocess.run(['echo', 'learned-value'])",
        "1 / 0 if 'learned-value' else None",
    )

    with pytest.raises(papermill.PapermillExecutionError):
        papermill.execute_notebook(source, tmp_path / "out.ipynb", progress_bar=False)

    cells = load(tmp_path / "out.ipynb").cells
    outputs = json.dumps([cell.get("outputs", []) for cell in cells])
    assert "learned-value" not in outputs
    assert "hunter2" not in outputs
    assert outputs.count("[masked]") >= 7
    assert '"aGk="' in outputs


def test_the_engine_is_registered() -> None:
    """papermill finds the engine by its entry point."""
    from papermill.engines import papermill_engines

    assert papermill_engines.get_engine("kit") is headless.KitEngine


def statuses(path: Path) -> list[str]:
    return [cell.metadata.papermill.status for cell in load(path).cells]


def gone(mark: Path) -> bool:
    """Whether no process is left of those that wrote their ids, one a line, into the file."""
    return not [pid for pid in mark.read_text().split() if _runs(int(pid))]


def _runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_kernel_that_dies_between_cells_leaves_the_next_as_not_run(tmp_path: Path) -> None:
    """The kernel is killed before the third cell starts: that cell and those after it are pending, the earlier ones completed."""
    out, mark = tmp_path / "out.ipynb", tmp_path / "mark"
    source = notebook(tmp_path / "in.ipynb", f"import os; open({str(mark)!r}, 'w').write(str(os.getpid()))", "2", "3")

    def on_cell(index: int, _: int) -> None:
        if index == 2:
            kernel = psutil.Process(int(mark.read_text()))
            kernel.kill()
            psutil.wait_procs([kernel], timeout=30)

    with pytest.raises(DeadKernelError):
        run(source, out, on_cell=on_cell)

    assert statuses(out) == ["completed", "completed", "pending", "pending"]


def test_a_kernel_that_does_not_start_leaves_every_cell_as_not_run(tmp_path: Path) -> None:
    """The kernel's command ends at once: no cell has run."""
    folder = Path(workplace.jupyter()["JUPYTER_DATA_DIR"]) / "kernels" / "broken"
    folder.mkdir(parents=True)
    spec = {"argv": [sys.executable, "-c", "raise SystemExit(3)"], "display_name": "Broken", "language": "python"}
    (folder / "kernel.json").write_text(json.dumps(spec))

    with pytest.raises(RuntimeError, match="Kernel died"):
        run(notebook(tmp_path / "in.ipynb", "1", "2"), tmp_path / "out.ipynb", kernel_name="broken")

    assert statuses(tmp_path / "out.ipynb") == ["pending", "pending", "pending"]


STUBBORN = """
import os, signal, subprocess, time
signal.signal(signal.SIGINT, signal.SIG_IGN)
children = [subprocess.Popen(['sleep', '600'], start_new_session=True)]
os.system('setsid sh -c "echo \\$\\$ >> MARK; exec sleep 600" &')
while not os.path.exists('MARK'): time.sleep(0.01)
open('MARK', 'a').write(f'{os.getpid()}\\n{children[0].pid}\\n')
time.sleep(600)
"""


def test_papermills_own_bound_ends_a_cell_and_all_that_it_started(tmp_path: Path) -> None:
    """`papermill --engine kit --execution-timeout` ends a cell that ignores interrupts, its kernel, its children and theirs."""
    out, mark = tmp_path / "out.ipynb", tmp_path / "mark"
    source = notebook(
        tmp_path / "in.ipynb", "print('be' + 'fore')", STUBBORN.replace("MARK", str(mark)), "print('never')"
    )
    command = [sys.executable, "-m", "papermill", "--engine", "kit", "--execution-timeout", "3", "--no-progress-bar"]

    done = subprocess.run([*command, str(source), str(out)], capture_output=True, text=True, timeout=300, check=False)

    assert done.returncode != 0
    assert "cell 2 did not end in 3 s: import os, signal, subprocess, time" in done.stderr
    assert statuses(out) == ["completed", "completed", "failed", "pending"]
    assert load(out).cells[1].outputs[0].text == "before\n"
    assert gone(mark)


def test_a_full_disk_leaves_the_notebook_that_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No save succeeds: the cells run all the same, the error is raised at the end, and the older notebook is as it was."""
    out, ran = tmp_path / "out.ipynb", tmp_path / "ran"
    out.write_text("older")

    def full(_: LocalHandler, __: str, path: str) -> None:
        Path(path).write_text("")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(LocalHandler, "write", full)
    with pytest.raises(OSError, match="No space left"):
        run(notebook(tmp_path / "in.ipynb", "1", f"open({str(ran)!r}, 'w')"), out, autosave_cell_every=1e-6)

    assert ran.exists()
    assert out.read_text() == "older"
    assert {path.name for path in tmp_path.iterdir()} == {"in.ipynb", "out.ipynb", "ran"}
