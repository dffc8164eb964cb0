"""papermill's client with bounds: a cell has a time limit, a signal takes effect at once, and no process of the kernel is left."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Coroutine
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import nbformat
from jupyter_core.utils import ensure_async, run_sync
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from papermill.clientwrap import PapermillNotebookClient

from kitlib.host import environment, leftovers
from kitlib.masking import redact
from kitlib.runner import workplace

GRACE = 3.0  # seconds that an interrupted cell has to tidy up, before its kernel is killed

T = TypeVar("T")


class KitClient(PapermillNotebookClient):  # type: ignore[misc]
    """Runs the cells, and masks what `--log-output` and `--stdout-file` write.

    It talks to its kernel through sockets in a private folder: TCP ports on loopback can be listened to by every user of
    the machine, and two kernels that start together can pick the same ones.
    bound: seconds that a cell may take, None: no limit.
    """

    bound: float | None = None
    _folder = ""

    def execute(self, **kwargs: Any) -> Any:
        """Run the notebook in a kernel with only the allowed part of the user's environment; the sockets' folder exists as long.

        The chapter works on fresh copies of its files, and not on the learner's.  When it breaks off, the processes that the kernel
        started are also ended.
        """
        mark = uuid.uuid4().hex
        watch = self.nb_man.watch
        with TemporaryDirectory(prefix="kit-") as self._folder, watch.hold():
            try:
                own = {leftovers.MARK: mark, "KIT_WORK": f"{self._folder}/work"}
                nb = super().execute(env={**workplace.whole(), **own}, **kwargs)
            except BaseException:
                leftovers.end(mark)
                raise
            if nb.metadata.papermill["exception"]:
                leftovers.end(mark)
        return nb

    def create_kernel_manager(self) -> Any:
        """A manager that speaks over Unix sockets, unless their path would be longer than the system allows."""
        environment.adopt(workplace.jupyter())  # or a user's kernel that has the same name would be found
        manager = super().create_kernel_manager()
        file = f"{self._folder}/kernel.json"
        if len(file) < 80:
            manager.transport, manager.connection_file = "ipc", file
        return manager

    async def async_start_new_kernel_client(self) -> Any:
        """Wait for the kernel's first answer."""
        return await self._watched(super().async_start_new_kernel_client())

    start_new_kernel_client = run_sync(async_start_new_kernel_client)

    async def async_wait_for_reply(self, msg_id: str, cell: Any = None) -> Any:
        """Wait for a reply that belongs to no cell."""
        return await self._watched(
            super().async_wait_for_reply(msg_id, cell), late=f"the kernel did not answer in {self.bound or 0:g} s"
        )

    wait_for_reply = run_sync(async_wait_for_reply)

    async def async_execute_cell(self, cell: Any, cell_index: int, *args: Any, **kwargs: Any) -> Any:
        """Run a cell; when this returns, it ended without an error.  Raises DeadKernelError before a cell that could not start."""
        lines = [line.strip() for line in cell.source.splitlines() if line.strip()]
        if cell.cell_type == "code" and lines:
            if not await ensure_async(self.km.is_alive()):
                raise DeadKernelError("Kernel died before this cell")
            self.nb_man.running = cell_index
        late = f"cell {cell_index} did not end in {self.bound or 0:g} s: {lines[0] if lines else ''}"
        result = await self._watched(super().async_execute_cell(cell, cell_index, *args, **kwargs), late=late)
        self.nb_man.running, self.nb_man.ended = None, cell_index
        return result

    execute_cell = run_sync(async_execute_cell)

    def log_output_message(self, output: Any) -> None:
        """Log a masked copy."""
        super().log_output_message(nbformat.from_dict(redact.mask_output(output)))  # type: ignore[no-untyped-call]

    async def _watched(self, step: Coroutine[Any, Any, T], *, late: str = "") -> T:
        """The step's result.  Raises Stopped after a signal, and CellTimeoutError at the bound of a step that has words for it."""
        watch, loop, before = self.nb_man.watch, asyncio.get_running_loop(), asyncio.all_tasks()
        asked = asyncio.Event()
        watch.wake = lambda: loop.call_soon_threadsafe(asked.set)
        if watch.noted:
            asked.set()
        task, signalled = asyncio.ensure_future(step), asyncio.ensure_future(asked.wait())
        bound = self.bound if late else None
        try:
            await asyncio.wait({task, signalled}, timeout=bound, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return task.result()
            await self._interrupt(task)
        finally:
            watch.wake = None
            await _cancel({task, *asyncio.all_tasks()} - before)
        watch.check()
        raise CellTimeoutError(late)

    async def _interrupt(self, task: asyncio.Future[Any]) -> None:
        """As Ctrl-C would, so that the cell can tidy up; a kernel that does not heed it is killed."""
        if self.km.has_kernel:
            await ensure_async(self.km.interrupt_kernel())
        await asyncio.wait({task}, timeout=GRACE)
        if not task.done():
            self.shutdown_kernel = "immediate"


async def _cancel(tasks: set[asyncio.Task[Any]]) -> None:
    """End tasks, and retrieve their exceptions, so that the event loop has none to report later."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
