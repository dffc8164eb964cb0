"""Exercises of 2.1-docker-concepts: the learner builds images and starts a container; the checks look at those in the engine."""

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
    """A file that is deleted, and still takes its room."""

    name = f"{CHAPTER}/deleted"
    made = "exercise-deleted"
    tags = ("answer",)
    task = (
        "These three instructions on the base `ALPINE` give an image with twenty million bytes too many: "
        f"`RUN head -c {BIG} /dev/urandom > /big`, `RUN sha256sum /big > /result`, `RUN rm /big`. "
        "Build one with the same `/result`, without `/big` and without its bytes: "
        f'`kit.builds.build(cluster.engine, dockerfile, "{made}:answer")`, where the Dockerfile begins with '
        "`ARG ALPINE` and `FROM ${ALPINE}`."
    )
    hints = (
        "Which instruction's layer has the bytes of `/big`, and can a later layer take them out of it?",
        "A layer keeps what its instruction left behind when it ended. A file that is made and removed in the same "
        "instruction leaves nothing.",
        "Join the three commands to one `RUN`, with `&&` between them.",
    )
    solution_text = (
        f'kit.builds.build(cluster.engine, """\\\nARG ALPINE\nFROM ${{ALPINE}}\n'
        f'RUN head -c {BIG} /dev/urandom > /big && sha256sum /big > /result && rm /big\n""", "{made}:answer")'
    )

    def judge(self) -> Outcome:
        """Look whether the image has the checksum, does not have `/big`, and is hardly larger than its base."""
        engine = self.cluster.engine
        result = self.ask("answer", "cat", "/result").split()
        if not result or len(result[0]) != 64:
            return failed(f"/result says {' '.join(result)!r}", look="/result: it has to have the checksum of the file")
        if self.ask("answer", "ls", "/big"):
            return failed("/big is in the file system of the image", look="/big: the image has no use for it any more")
        added = engine.size(self.reference("answer")) - engine.size(builds.base(engine, "alpine"))
        if added > ROOM:
            large = [
                f"{entry['Size']} bytes: {entry['CreatedBy'][:80]}"
                for entry in engine.history(self.reference("answer"))
            ]
            return failed(
                f"the image has {added / 1e6:.1f} MB more than its base",
                *large[:4],
                look="the layer that has these bytes: a later instruction can hide a file, and cannot take it out",
            )
        return passed(f"/result says {result[0][:12]}…", f"the image has {added / 1e6:.3f} MB more than its base")


class Order(Built):
    """Two versions of an image that differ in one layer."""

    name = f"{CHAPTER}/order"
    made = "exercise-order"
    tags = ("a", "b")
    task = (
        "Write one Dockerfile with two instructions on `ALPINE`: one copies `index.html` to `/index.html`, the other is "
        f"`RUN head -c {BIG} /dev/urandom > /tool`, which stands for an installation. Build it twice, with different texts of the page: "
        f'`kit.builds.build(cluster.engine, dockerfile, "{made}:a", files={{"index.html": "one"}})`, then `{made}:b`. '
        "The two images must share all their layers but one."
    )
    hints = (
        "When an instruction is carried out anew, so is each one after it. Which of the two changes more often?",
        "What changes seldom comes first, what changes often comes last: then a new page makes one new layer.",
        "`RUN head -c … > /tool` first, `COPY index.html /index.html` after it; build with one text as `…:a`, with "
        "another as `…:b`.",
    )
    solution_text = (
        'DOCKERFILE = """\\\nARG ALPINE\nFROM ${ALPINE}\n'
        f'RUN head -c {BIG} /dev/urandom > /tool\nCOPY index.html /index.html\n"""\n'
        'for tag, page in {"a": "one", "b": "two"}.items():\n'
        f'    kit.builds.build(cluster.engine, DOCKERFILE, f"{made}:{{tag}}", files={{"index.html": page}})'
    )

    def judge(self) -> Outcome:
        """Look whether the pages of the two images differ, and all layers but one are shared."""
        pages = [self.ask(tag, "cat", "/index.html") for tag in self.tags]
        if pages[0] == pages[1] or not all(pages):
            return failed(f"their pages say {pages}", look="files: /index.html of the two images has to differ")
        first, second = (builds.layers(self.cluster.engine, self.reference(tag)) for tag in self.tags)
        own = [layer[7:19] for layer in second if layer not in first]
        if len(own) != 1 or not self.ask("b", "ls", "/tool"):
            return failed(
                f"of the {len(second)} layers of b, {len(own)} are not in a: {', '.join(own)}",
                look="the order of the instructions: what comes after a change is made anew, the large file, too",
            )
        return passed(f"their pages say {pages}", f"of the {len(second)} layers of b, one is not in a: {own[0]}")


class Limits(Exercise):
    """A container that can take only so much, and change nothing."""

    name = f"{CHAPTER}/limits"
    made = "exercise-limits"
    task = (
        f"Start a container that sleeps, from alpine: it may have {MEMORY} bytes of memory and {PROCESSES} processes, may write to "
        f"`/run`, and nowhere else. `docker run --name {made} ...` starts it; so does "
        f'`kit.builds.start(cluster.engine, "{made}", image, command, ...)` from `kit.builds.base(cluster.engine, "alpine")`, '
        "with the settings of `containers.create` of the docker package."
    )
    hints = (
        "There are four limits: memory, processes, a file system that is read-only, and one place to write.",
        "The options of `docker run` are --memory, --pids-limit, --read-only and --tmpfs; in the docker package they "
        "are mem_limit, pids_limit, read_only and tmpfs.",
        "Add to `docker run -d` the options `--memory`, `--pids-limit` with the numbers of the task, `--read-only` and "
        "`--tmpfs /run`; the command is `sleep 3600`.",
    )
    solution_text = (
        'image = kit.builds.base(cluster.engine, "alpine")\n'
        "kit.builds.start(\n"
        f'    cluster.engine, "{made}", image, ["sleep", "3600"],\n'
        f'    mem_limit={MEMORY}, pids_limit={PROCESSES}, read_only=True, tmpfs={{"/run": ""}},\n)'
    )

    def check(self) -> Outcome:
        """Look for the newest container of the exercise, then judge it."""
        found = [*builds.containers(self.cluster.engine, self.made), *builds.called(self.cluster.engine, self.made)]
        return self.judge(max(found, key=lambda container: str(container.attrs["Created"]))) if found else NOT_ATTEMPTED

    def judge(self, container: Any) -> Outcome:
        """Look whether the container runs within both limits, and can write to `/run` alone."""
        if container.status != "running":
            return failed(f"the container is {container.status}", look="its command: has it ended already?")
        limits = container.attrs["HostConfig"]
        saw = f"Memory is {limits['Memory']}, PidsLimit is {limits['PidsLimit']} (0, -1 or None: no limit)"
        if not 0 < limits["Memory"] <= MEMORY or not 0 < (limits["PidsLimit"] or 0) <= PROCESSES:
            return failed(saw, look="the limits, which are numbers in files of the container's cgroup")
        wrote = {folder: self._writes(container, folder) for folder in ("/", "/etc", "/run")}
        if wrote != {"/": False, "/etc": False, "/run": True}:
            may = [folder for folder, could in wrote.items() if could] or ["nothing"]
            return failed(saw, f"it can write to {', '.join(may)}", look="its mounts: which of them are read-only?")
        return passed(saw, "it can write to /run, and neither to / nor to /etc")

    def reset(self) -> None:
        """Remove the containers that the kit started, and the one with the task's name."""
        builds.remove(self.cluster.engine, self.made)
        for container in builds.called(self.cluster.engine, self.made):
            builds.discard(container)

    def _writes(self, container: Any, folder: str) -> bool:
        ran = commands.run(self.cluster.engine, container.id, ["touch", f"{folder.rstrip('/')}/written"])
        return ran.code == 0
