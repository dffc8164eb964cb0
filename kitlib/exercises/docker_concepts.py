"""Exercises of 2.1-docker-concepts: the learner builds images and starts a container; the checks inspect them in the engine."""

from __future__ import annotations

from typing import Any

from kitlib.engine import commands
from kitlib.exercises.base import NOT_ATTEMPTED, Exercise, Outcome, failed, passed
from kitlib.exercises.built import Built
from kitlib.workloads import builds

CHAPTER = "2.1-docker-concepts"
ROOM = 1_000_000  # bytes that an answer may add to its base
BIG = 20_000_000  # bytes
MEMORY, PROCESSES = 64 << 20, 32


class Deleted(Built):
    """A file that is deleted, and whose bytes stay in the image."""

    name = f"{CHAPTER}/deleted"
    made = "exercise-deleted"
    tags = ("answer",)
    task = (
        "These three instructions on the base `ALPINE` make an image that is twenty million bytes too large: "
        f"`RUN head -c {BIG} /dev/urandom > /big`, `RUN sha256sum /big > /result`, `RUN rm /big`. "
        "Build an image that has a `/result` made in the same way, but neither `/big` nor its bytes. "
        f'`kit.builds.build(cluster.engine, dockerfile, "{made}:answer")` builds it. The Dockerfile begins with '
        "`ARG ALPINE` and `FROM ${ALPINE}`."
    )
    hints = (
        "Which layer contains the bytes of `/big`? Can a later layer remove them from it?",
        "A layer contains the files that exist when its instruction ends. If one instruction creates a file and also "
        "removes it, no layer contains the file.",
        "Write one `RUN` instruction with all three commands, and put `&&` between the commands.",
    )
    solution_text = (
        f'kit.builds.build(cluster.engine, """\\\nARG ALPINE\nFROM ${{ALPINE}}\n'
        f'RUN head -c {BIG} /dev/urandom > /big && sha256sum /big > /result && rm /big\n""", "{made}:answer")'
    )

    def judge(self) -> Outcome:
        """Verify that the image has the checksum, does not have `/big`, and is hardly larger than its base."""
        engine = self.cluster.engine
        result = self.ask("answer", "cat", "/result").split()
        if not result or len(result[0]) != 64:
            return failed(f"/result contains {' '.join(result)!r}", look="/result: it must contain the file's checksum")
        if self.ask("answer", "ls", "/big"):
            return failed("/big is in the file system of the image", look="/big: the image does not need it any more")
        added = engine.size(self.reference("answer")) - engine.size(builds.base(engine, "alpine"))
        if added > ROOM:
            large = [
                f"{entry['Size']} bytes: {entry['CreatedBy'][:80]}"
                for entry in engine.history(self.reference("answer"))
            ]
            return failed(
                f"the image is {added / 1e6:.1f} MB larger than its base",
                *large[:4],
                look="the layer that has these bytes: a later instruction can hide a file, but cannot remove it from that layer",
            )
        return passed(f"/result contains {result[0][:12]}…", f"the image is {added / 1e6:.3f} MB larger than its base")


class Order(Built):
    """Two versions of an image that differ in one layer."""

    name = f"{CHAPTER}/order"
    made = "exercise-order"
    tags = ("a", "b")
    task = (
        "Write one Dockerfile with two instructions on the base `ALPINE`. One copies `index.html` to `/index.html`. The other is "
        f"`RUN head -c {BIG} /dev/urandom > /tool`, in place of an installation. Build it twice, with different texts in the page: "
        f'first `kit.builds.build(cluster.engine, dockerfile, "{made}:a", files={{"index.html": "one"}})`, then `{made}:b`. '
        "The two images must share all layers except one."
    )
    hints = (
        "If a build runs an instruction again, it also runs all later ones again. Which of the two changes more often?",
        "Put the instruction that changes rarely first, and the one that changes often last. Then a new page makes only "
        "one new layer.",
        "Write `RUN head -c … > /tool` first, and `COPY index.html /index.html` after it. Build with one text as `…:a`, "
        "and with another text as `…:b`.",
    )
    solution_text = (
        'DOCKERFILE = """\\\nARG ALPINE\nFROM ${ALPINE}\n'
        f'RUN head -c {BIG} /dev/urandom > /tool\nCOPY index.html /index.html\n"""\n'
        'for tag, page in {"a": "one", "b": "two"}.items():\n'
        f'    kit.builds.build(cluster.engine, DOCKERFILE, f"{made}:{{tag}}", files={{"index.html": page}})'
    )

    def judge(self) -> Outcome:
        """Verify that the pages of the two images differ, and that the images share all layers except one."""
        pages = [self.ask(tag, "cat", "/index.html") for tag in self.tags]
        if pages[0] == pages[1] or not all(pages):
            return failed(f"their pages contain {pages}", look="files: /index.html must differ in the two images")
        first, second = (builds.layers(self.cluster.engine, self.reference(tag)) for tag in self.tags)
        own = [layer[7:19] for layer in second if layer not in first]
        if len(own) != 1 or not self.ask("b", "ls", "/tool"):
            return failed(
                f"b has {len(second)} layers, and {len(own)} of them are not in a: {', '.join(own)}",
                look="the order: the instructions after a change run again, also the one that makes the large file",
            )
        return passed(f"their pages contain {pages}", f"b has {len(second)} layers, and one is not in a: {own[0]}")


class Limits(Exercise):
    """A container with limited memory and processes, which can write to one folder only."""

    name = f"{CHAPTER}/limits"
    made = "exercise-limits"
    task = (
        f"Start a container from alpine that sleeps. It may use at most {MEMORY} bytes of memory and {PROCESSES} processes, and can "
        f"write to `/run` only. `docker run --name {made} ...` starts it. So does "
        f'`kit.builds.start(cluster.engine, "{made}", image, command, ...)`, with the image `kit.builds.base(cluster.engine, "alpine")` '
        "and the settings of `containers.create` of the Python package docker."
    )
    hints = (
        "Four settings are needed: for memory, for processes, for a read-only file system, and for one folder to write to.",
        "The options of `docker run` are --memory, --pids-limit, --read-only and --tmpfs. In the Python package they "
        "are called mem_limit, pids_limit, read_only and tmpfs.",
        "Use `docker run -d` with the name from the task. Add `--memory` and `--pids-limit` with the numbers from the "
        "task, `--read-only`, and `--tmpfs /run`. The command is `sleep 3600`.",
    )
    solution_text = (
        'image = kit.builds.base(cluster.engine, "alpine")\n'
        "kit.builds.start(\n"
        f'    cluster.engine, "{made}", image, ["sleep", "3600"],\n'
        f'    mem_limit={MEMORY}, pids_limit={PROCESSES}, read_only=True, tmpfs={{"/run": ""}},\n)'
    )

    def check(self) -> Outcome:
        """Find the newest container of the exercise, then judge it."""
        found = [*builds.containers(self.cluster.engine, self.made), *builds.called(self.cluster.engine, self.made)]
        return self.judge(max(found, key=lambda container: str(container.attrs["Created"]))) if found else NOT_ATTEMPTED

    def judge(self, container: Any) -> Outcome:
        """Verify that the container runs within both limits, and can write to `/run` only."""
        if container.status != "running":
            return failed(f"the container is {container.status}", look="its command: has it already ended?")
        limits = container.attrs["HostConfig"]
        saw = f"Memory is {limits['Memory']}, PidsLimit is {limits['PidsLimit']} (0, -1 or None: no limit)"
        if not 0 < limits["Memory"] <= MEMORY or not 0 < (limits["PidsLimit"] or 0) <= PROCESSES:
            return failed(saw, look="the limits: they are numbers in files of the container's cgroup")
        wrote = {folder: self._writes(container, folder) for folder in ("/", "/etc", "/run")}
        if wrote != {"/": False, "/etc": False, "/run": True}:
            may = [folder for folder, could in wrote.items() if could] or ["nothing"]
            return failed(saw, f"it can write to {', '.join(may)}", look="its mounts: which of them are read-only?")
        return passed(saw, "it can write to /run, but not to / or /etc")

    def reset(self) -> None:
        """Remove the containers that the kit started, and the one with the task's name."""
        builds.remove(self.cluster.engine, self.made)
        for container in builds.called(self.cluster.engine, self.made):
            builds.discard(container)

    def _writes(self, container: Any, folder: str) -> bool:
        ran = commands.run(self.cluster.engine, container.id, ["touch", f"{folder.rstrip('/')}/written"])
        return ran.code == 0
