"""Limits of the kernel that a cluster in containers meets: each limit, and how much of it is in use."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
INOTIFY = "anon_inode:inotify"


@dataclass(frozen=True)
class Limit:
    """A sysctl's limit.  used: the number in use; of a limit per user, that of the user (uid) with the most."""

    sysctl: str
    most: int
    used: int
    uid: int | None = None

    @property
    def free(self) -> int:
        """How many more can be opened before the limit is reached."""
        return self.most - self.used

    def __str__(self) -> str:
        return f"{self.used} of {self.most} used for {self.sysctl}" + ("" if self.uid is None else f" (uid {self.uid})")


def limits(proc: Path = PROC) -> list[Limit]:
    """Inotify's instances and watches, open files and processes, of those that this kernel limits.

    A process of another user cannot be looked into without root's rights, and is not counted then.
    """
    instances, watches = _inotify(proc)
    used = {
        "fs.inotify.max_user_instances": _highest(instances),
        "fs.inotify.max_user_watches": _highest(watches),
        "fs.file-max": (_number(proc / "sys/fs/file-nr"), None),
        "kernel.pid_max": (_number(proc / "loadavg", 3), None),  # threads, which also have numbers of their own
    }
    return [
        Limit(sysctl, most, count, uid)
        for sysctl, (count, uid) in used.items()
        if (most := _number(proc / "sys" / sysctl.replace(".", "/")))
    ]


def _highest(counts: Counter[int]) -> tuple[int, int | None]:
    return next(((count, uid) for uid, count in counts.most_common(1)), (0, None))


def _number(file: Path, word: int = 0) -> int:
    """The number in a file of /proc; 0 when there is none."""
    try:
        return int(file.read_text().split()[word].split("/")[-1])
    except (OSError, IndexError, ValueError):
        return 0


def _inotify(proc: Path) -> tuple[Counter[int], Counter[int]]:
    """Instances and watches by uid: an instance is an open file, and says in `fdinfo` what it watches."""
    instances: Counter[int] = Counter()
    watches: Counter[int] = Counter()
    for process, uid in _processes(proc):
        for number in _instances(process):
            instances[uid] += 1
            watches[uid] += _watches(process / "fdinfo" / number)
    return instances, watches


def _processes(proc: Path) -> Iterator[tuple[Path, int]]:
    for process in proc.iterdir():
        if process.name.isdigit():
            try:
                yield process, process.stat().st_uid
            except OSError:  # it has ended
                continue


def _instances(process: Path) -> Iterator[str]:
    try:
        files = list((process / "fd").iterdir())
    except OSError:  # it has ended, or is another user's
        return
    for file in files:
        try:
            if str(file.readlink()) == INOTIFY:
                yield file.name
        except OSError:
            continue


def _watches(fdinfo: Path) -> int:
    try:
        return sum(line.startswith("inotify ") for line in fdinfo.read_text().splitlines())
    except OSError:
        return 0
