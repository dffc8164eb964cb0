"""Exercises of 2.1-docker-concepts: the learner builds images and starts a container; the checks inspect them in the engine."""

from __future__ import annotations

from typing import Any

from kitlib.engine import commands
from kitlib.exercises.base import NOT_ATTEMPTED, Outcome, failed, passed
from kitlib.exercises.built import Built, DockerExercise
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
        f"`deleted.Dockerfile` makes a file `/big` of {BIG} bytes, computes its checksum, and deletes it. The image is still twenty "
        f"million bytes too large. Change the file, and build `{made}:answer` from it: `docker build --build-arg ALPINE=$ALPINE -f "
        f"deleted.Dockerfile -t {made}:answer .`. The image must have a `/result` that is made in the same "
        "way, but neither `/big` nor its bytes."
    )
    hints = (
        "Which layer contains the bytes of `/big`? Can a later layer remove them from it?",
        f"`docker history {made}:answer` shows the size of each layer. A layer contains the files that exist when its instruction ends. If "
        "one instruction creates a file and also removes it, no layer contains the file.",
        "Write one `RUN` instruction with all three commands, and put `&&` between the commands.",
    )
    solution_text = f"""\
cat > one-layer.Dockerfile <<'END'
ARG ALPINE
FROM ${{ALPINE}}
RUN head -c {BIG} /dev/urandom > /big && sha256sum /big > /result && rm /big
END
docker build --build-arg ALPINE="$ALPINE" -f one-layer.Dockerfile -t {made}:answer .
docker history {made}:answer"""

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
        "`order.Dockerfile` copies `page.html` to `/index.html`, and makes a large file `/tool` in place of an installation. Build "
        "it twice, with different texts in the page. The two images must share all layers except one. `echo one > page.html` "
        f"writes a page, and `docker build --build-arg ALPINE=$ALPINE -f order.Dockerfile -t {made}:a .` builds the first image. "
        f"The second one is `{made}:b`."
    )
    hints = (
        "If a build runs an instruction again, it also runs all later ones again. Which of the two changes more often?",
        "Put the instruction that changes rarely first, and the one that changes often last. Then a new page makes only "
        "one new layer.",
        f"Write `RUN head -c … > /tool` first, and `COPY page.html /index.html` after it. Build with one text as `{made}:a`, "
        "and with another text as `…:b`. In the second build, the step of `RUN` must be CACHED.",
    )
    solution_text = f"""\
cat > ordered.Dockerfile <<'END'
ARG ALPINE
FROM ${{ALPINE}}
RUN head -c {BIG} /dev/urandom > /tool
COPY page.html /index.html
END
echo one > page.html
docker build --build-arg ALPINE="$ALPINE" -f ordered.Dockerfile -t {made}:a .
echo another > page.html
docker build --build-arg ALPINE="$ALPINE" -f ordered.Dockerfile -t {made}:b ."""

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


class Limits(DockerExercise):
    """A container with limited memory and processes, which can write to one folder only."""

    name = f"{CHAPTER}/limits"
    made = "exercise-limits"
    task = (
        f"Start a container `{made}` of the image `$ALPINE`, with a program that sleeps. It may use at most {MEMORY} bytes of "
        f"memory and {PROCESSES} processes, and can write to `/run` only."
    )
    hints = (
        "Four settings are needed: for memory, for processes, for a read-only file system, and for one folder to write to.",
        "`docker run --help` lists all options. The four are --memory, --pids-limit, --read-only and --tmpfs.",
        "Use `docker run -d` with the name from the task. Add `--memory` and `--pids-limit` with the numbers from the "
        "task, `--read-only`, and `--tmpfs /run`. The command is `sleep 3600`.",
    )
    solution_text = f"""\
docker rm --force {made}
docker run -d --name {made} --memory {MEMORY} --pids-limit {PROCESSES} --read-only --tmpfs /run "$ALPINE" sleep 3600"""

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
