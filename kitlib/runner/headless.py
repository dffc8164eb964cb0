"""The papermill engine `kit`: `papermill --engine kit in.ipynb out.ipynb`.

It adds to papermill's own engine:

- no save after each cell, which costs 27 ms and falls into what the next cell measures; instead between cells, when the
  last save is `autosave_cell_every` seconds old (0: never), and always at the end, also of a failed, interrupted or
  terminated run; a disk that is full ends no run, and leaves the file that was there;
- each code cell's wall time in `cell.metadata.kit.seconds`, by the monotonic clock;
- a cell that did not run stays `pending`, whatever ended the run;
- `execution_timeout` (papermill's `--execution-timeout`): a cell that takes longer is interrupted, then its kernel is ended
  with all that it started; the same happens after a signal;
- where a cell fails, the cluster's warnings: in the cell's output, in the error, in `nb.metadata.kit.observed`;
- secrets are masked in whatever is written or logged.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
from papermill.engines import NBClientEngine, NotebookExecutionManager
from papermill.iorw import LocalHandler, papermill_io, write_ipynb
from papermill.log import logger

from kitlib.host import stopping
from kitlib.masking import redact
from kitlib.runner.kernel import KitClient

OnEnd = Callable[[Any, OSError | None], None]


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
        on_cell: Callable[[int, int], None] | None = None,
        save_to: str | None = None,
        on_end: OnEnd | None = None,
        **kwargs: Any,
    ) -> Any:
        """Run every cell; return the notebook, masked.

        on_cell(index, total) is called as each cell starts.  save_to: where the notebook goes if papermill is not to write it as well.
        on_end(notebook, error) is called when it was written, or could not be, whatever else happened.  Without it, that error is raised.
        """
        manager = KitManager(
            nb,
            output_path=save_to or output_path,
            progress_bar=progress_bar,
            log_output=log_output,
            autosave_cell_every=autosave_cell_every,
        )
        manager.on_cell = on_cell
        with stopping.watched(once=True) as manager.watch:
            try:
                manager.notebook_start()
                cls.execute_managed_notebook(manager, kernel_name, log_output=log_output, **kwargs)
            except BaseException as error:
                manager.broke_off(error)
                if isinstance(error, stopping.Stopped) and error.number != signal.SIGINT and not on_end:
                    raise SystemExit(
                        128 + error.number
                    ) from None  # papermill's own command line knows interrupts alone
                raise
            finally:
                with manager.watch.hold():
                    manager.cleanup_pbar()
                    manager.notebook_complete()
                    if on_end:
                        on_end(manager.nb, manager.unsaved)
        if manager.unsaved and not on_end:
            raise manager.unsaved
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
            log=logger,
            **kwargs,
        )
        client.bound = execution_timeout or None
        return client.execute()


class KitManager(NotebookExecutionManager):  # type: ignore[misc]
    """Keeps the notebook's state and decides when it is written."""

    on_cell: Callable[[int, int], None] | None = None
    watch = stopping.Watch()
    running: int | None = None  # the code cell that the kernel was given and has not ended
    ended: int | None = None  # the last cell that came to its end, a failure included
    unsaved: OSError | None = None  # why the last save failed
    _began: float = 0.0
    _in_cell = False
    _begun = False

    def save(self, **_: Any) -> None:
        """Mask the notebook; write it, in one step, unless a cell is about to run or papermill merely offers to.

        A full disk does not stop the measurement: the error is kept, and raised at the end.  Before the first cell has begun, a
        notebook that is there is not replaced by one without outputs.
        """
        if self._in_cell:
            return
        redact.mask_notebook(self.nb)
        if self.output_path and (self._begun or not Path(self.output_path).exists()):
            try:
                _write(self.nb, self.output_path)
                self.unsaved = None
            except OSError as error:
                self.unsaved = error
        self.last_save_time = self.now()

    def autosave_cell(self) -> None:
        """Do nothing: papermill calls this for each message while a cell runs."""

    def cell_start(self, cell: Any, cell_index: int, **kwargs: Any) -> None:
        """Note which cell starts, and since when; not when the run is to end."""
        self.watch.check()
        self._begun = True
        if self.on_cell:
            self.on_cell(cell_index, len(self.nb.cells))
        with self._unsaved():
            super().cell_start(cell, cell_index, **kwargs)
        self._began = time.perf_counter()

    def cell_complete(self, cell: Any, cell_index: int, **kwargs: Any) -> None:
        """Note how long it took; save if that has not been done for long.  papermill calls this also for a cell that did not end."""
        if self.ended != cell_index:
            return
        if cell.metadata.papermill["status"] != self.FAILED:  # that one was timed before the cluster was asked
            self._time(cell)
        with self._unsaved():
            super().cell_complete(cell, cell_index, **kwargs)
        if self.autosave_cell_every and (self.now() - self.last_save_time).total_seconds() >= self.autosave_cell_every:
            self.save()

    def cell_exception(self, cell: Any, cell_index: int, **kwargs: Any) -> None:
        """Mark the cell, and ask the cluster while the trouble is fresh."""
        super().cell_exception(cell, cell_index, **kwargs)
        self.running, self.ended = None, cell_index
        self._time(cell)
        self._quote_cluster(cell)

    def broke_off(self, error: BaseException) -> None:
        """The kernel died, a cell took too long, or the run was interrupted: the notebook says in which cell, if in one."""
        if self.running is not None:
            cell = self.nb.cells[self.running]
            super().cell_exception(cell, self.running)
            self._time(cell)
            _print(cell, f"{type(error).__name__}: {error}".rstrip(": "))
            if isinstance(error, Exception):
                for line in self._quote_cluster(cell):
                    error.add_note(line)
        self.nb.metadata.papermill["exception"] = True

    def notebook_complete(self, **_: Any) -> None:
        """Note the end, and write the notebook.  papermill's own calls completed whatever did not start."""
        self.end_time = self.now()
        self.nb.metadata.papermill["end_time"] = self.end_time.isoformat()
        if self.start_time:
            self.nb.metadata.papermill["duration"] = (self.end_time - self.start_time).total_seconds()
        for cell in self.nb.cells:
            if cell.metadata.get("papermill", {}).get("status") == self.RUNNING:  # it was about to
                cell.metadata.papermill |= {"status": self.PENDING, "start_time": None, "exception": None}
        self.complete_pbar()
        self.cleanup_pbar()
        self._begun = True
        self.save()

    def _time(self, cell: Any) -> None:
        if cell.cell_type == "code":
            cell.metadata["kit"] = {"seconds": round(time.perf_counter() - self._began, 4)}

    def _quote_cluster(self, cell: Any) -> list[str]:
        with self.watch.let_through():
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
        from kitlib.cluster import bound as cluster

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
