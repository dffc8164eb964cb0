"""The papermill engine `kit`: `papermill --engine kit in.ipynb out.ipynb`.

What it adds to papermill's own:

- no save after each cell, which costs 27 ms and falls into what the next cell measures; instead between cells, when the
  last save is `autosave_cell_every` seconds old (0: never), and always at the end, also of a failed, interrupted or
  terminated run;
- each code cell's wall time in `cell.metadata.kit.seconds`, by the monotonic clock;
- where a cell fails, what the cluster says about it: in the cell's output, in the error, in `nb.metadata.kit.observed`;
- secrets are masked in whatever is written or logged.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType
from typing import Any

import nbformat
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, NotebookExecutionManager
from papermill.iorw import LocalHandler, papermill_io, write_ipynb
from papermill.log import logger

from kitlib import redact


class KitEngine(NBClientEngine):  # type: ignore[misc]
    """Runs a notebook as papermill's nbclient engine does, under the rules above."""

    @classmethod
    def execute_notebook(
        cls,
        nb: Any,
        kernel_name: str,
        output_path: str | None = None,
        progress_bar: bool | dict[str, Any] = True,
        log_output: bool = False,
        autosave_cell_every: float = 30,
        on_cell: Any = None,
        **kwargs: Any,
    ) -> Any:
        """Run every cell; return the notebook, masked.  on_cell(index, total) is called as each cell starts."""
        manager = KitManager(
            nb,
            output_path=output_path,
            progress_bar=progress_bar,
            log_output=log_output,
            autosave_cell_every=autosave_cell_every,
        )
        manager.on_cell = on_cell
        manager.notebook_start()
        try:
            with _terminate_as_exit():
                cls.execute_managed_notebook(manager, kernel_name, log_output=log_output, **kwargs)
        except BaseException as error:
            manager.broke_off(error)
            raise
        finally:
            manager.cleanup_pbar()
            manager.notebook_complete()
        return manager.nb

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: KitManager,
        kernel_name: str,
        start_timeout: float = 60,
        execution_timeout: float | None = None,
        **kwargs: Any,
    ) -> Any:
        """Run the cells in a fresh kernel.  start_timeout, execution_timeout (a cell; None: no limit): seconds."""
        for spare in ("input_path", "timeout", "startup_timeout"):
            kwargs.pop(spare, None)
        client = KitClient(
            nb_man,
            kernel_name=kernel_name,
            startup_timeout=start_timeout,
            timeout=execution_timeout,
            log=logger,
            **kwargs,
        )
        return client.execute()


class KitManager(NotebookExecutionManager):  # type: ignore[misc]
    """Keeps the notebook's state and decides when it is written."""

    on_cell: Any = None
    running: int | None = None  # the cell that has begun and not ended
    _began: float = 0.0
    _in_cell = False

    def save(self, **_: Any) -> None:
        """Mask the notebook; write it, in one step, unless a cell is about to run or papermill merely offers to."""
        if self._in_cell:
            return
        redact.mask_notebook(self.nb)
        if self.output_path:
            _write(self.nb, self.output_path)
        self.last_save_time = self.now()

    def autosave_cell(self) -> None:
        """Not while a cell runs: papermill calls this for each message."""

    def cell_start(self, cell: Any, cell_index: int | None = None, **kwargs: Any) -> None:
        """Note which cell runs, and since when."""
        if self.on_cell:
            self.on_cell(cell_index, len(self.nb.cells))
        with self._unsaved():
            super().cell_start(cell, cell_index, **kwargs)
        self.running = cell_index
        self._began = time.perf_counter()

    def cell_complete(self, cell: Any, cell_index: int | None = None, **kwargs: Any) -> None:
        """Note how long it took; save if that has not been done for long."""
        seconds = time.perf_counter() - self._began
        if cell.cell_type == "code":
            cell.metadata["kit"] = {"seconds": round(seconds, 4)}
        with self._unsaved():
            super().cell_complete(cell, cell_index, **kwargs)
        if self.autosave_cell_every and (self.now() - self.last_save_time).total_seconds() >= self.autosave_cell_every:
            self.save()

    def cell_exception(self, cell: Any, cell_index: int | None = None, **kwargs: Any) -> None:
        """Mark the cell, and ask the cluster while the trouble is fresh."""
        super().cell_exception(cell, cell_index, **kwargs)
        self.running = None
        self._quote_cluster(cell)

    def broke_off(self, error: BaseException) -> None:
        """The kernel died, a cell took too long, or the run was interrupted: the notebook says in which cell."""
        cell = self.nb.cells[self.running] if self.running is not None else None
        if cell is None or cell.metadata.papermill["status"] == self.FAILED:
            return
        super().cell_exception(cell, self.running)
        _print(cell, f"{type(error).__name__}: {error}".rstrip(": "))
        if isinstance(error, Exception):
            for line in self._quote_cluster(cell):
                error.add_note(line)

    def _quote_cluster(self, cell: Any) -> list[str]:
        observed = _explain()
        self.nb.metadata["kit"] = {"observed": observed}
        if observed:
            _append(cell, ["What the cluster says:", *(f"  {line}" for line in observed)])
        return observed

    @contextmanager
    def _unsaved(self) -> Iterator[None]:
        self._in_cell = True
        try:
            yield
        finally:
            self._in_cell = False


class KitClient(PapermillNotebookClient):  # type: ignore[misc]
    """papermill's client, which also masks what `--log-output` and `--stdout-file` write.

    It talks to its kernel through sockets in a private folder: TCP ports on loopback can be listened to by every user of
    the machine, and two kernels that start together can pick the same ones.
    """

    _folder = ""

    def execute(self, **kwargs: Any) -> Any:
        """Run the notebook; the sockets' folder lives as long."""
        with TemporaryDirectory(prefix="kit-") as self._folder:
            return super().execute(**kwargs)

    def create_kernel_manager(self) -> Any:
        """A manager that speaks over Unix sockets, unless their path would be longer than the system allows."""
        manager = super().create_kernel_manager()
        file = f"{self._folder}/kernel.json"
        if len(file) < 80:
            manager.transport, manager.connection_file = "ipc", file
        return manager

    def execute_cell(self, cell: Any, cell_index: int, **kwargs: Any) -> Any:
        """Run a cell; when this returns, it ended without an error."""
        result = super().execute_cell(cell, cell_index, **kwargs)
        self.nb_man.running = None
        return result

    def log_output_message(self, output: Any) -> None:
        """Log a masked copy."""
        super().log_output_message(nbformat.from_dict(redact.mask_output(output)))  # type: ignore[no-untyped-call]


def _append(cell: Any, lines: list[str]) -> None:
    """Add lines to the cell's error, from which papermill makes its message, or where there is none to its output."""
    for output in cell.get("outputs", []):
        if output.output_type == "error":
            output.traceback = [*output.traceback, "", *lines]
            return
    _print(cell, "\n".join(lines))


def _print(cell: Any, text: str) -> None:
    output = nbformat.v4.new_output("stream", name="stderr", text=f"{text}\n")  # type: ignore[no-untyped-call]
    cell.setdefault("outputs", []).append(output)


def _explain() -> list[str]:
    """Warnings and not-ready pods of the bound cluster; whatever goes wrong here must not hide the error at hand."""
    try:
        from kitlib import cluster

        return [redact.mask(str(line)) for line in cluster.explain()]
    except (ImportError, AttributeError):
        return []
    except Exception as error:  # noqa: BLE001
        return [f"(the cluster could not be asked: {redact.mask(repr(error))})"]


def _write(nb: Any, path: str) -> None:
    """Write through papermill; a local file is replaced as a whole, so that a reader never sees half of one."""
    handler = papermill_io.get_handler(path)
    if not isinstance(handler, LocalHandler):
        write_ipynb(nb, path)
        return
    target = Path(handler._cwd or ".", path)  # the process itself is in the notebook's folder now
    partial = target.with_name(f".{os.getpid()}.{target.name}")
    try:
        write_ipynb(nb, str(partial))
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def _terminate_as_exit() -> Iterator[None]:
    """Let SIGTERM unwind the stack: the notebook is written, the kernel stopped.  Others' handlers are kept."""
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGTERM) != signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, _exit)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _exit(number: int, _: FrameType | None) -> None:
    raise SystemExit(128 + number)
