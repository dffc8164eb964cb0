"""What is used of the kernel's limits: counted in folders that look like /proc."""

import os
from pathlib import Path

import pytest

from kitlib.host import limits
from kitlib.runner import doctor

SETTINGS = {
    "sys/fs/inotify/max_user_instances": "128",
    "sys/fs/inotify/max_user_watches": "65536",
    "sys/fs/file-max": "1000000",
    "sys/fs/file-nr": "1500\t0\t1000000",
    "sys/kernel/pid_max": "32768",
    "loadavg": "0.5 0.4 0.3 2/700 4711",
}


@pytest.fixture
def proc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A /proc with limits and no process, which the doctor looks at."""
    for name, text in SETTINGS.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text + "\n")
    found = limits.limits
    monkeypatch.setattr(limits, "limits", lambda: found(tmp_path))
    return tmp_path


def process(proc: Path, pid: int, instances: int, watches: int = 0) -> None:
    """A process with so many instances of inotify, each with so many watches, and a file that is none."""
    (proc / str(pid) / "fd").mkdir(parents=True)
    (proc / str(pid) / "fdinfo").mkdir()
    (proc / str(pid) / "fd" / "0").symlink_to("/dev/null")
    for number in map(str, range(3, 3 + instances)):
        (proc / str(pid) / "fd" / number).symlink_to(limits.INOTIFY)
        lines = [f"inotify wd:{n} ino:1 sdev:1 mask:fc6" for n in range(watches)]
        (proc / str(pid) / "fdinfo" / number).write_text("\n".join(["pos:\t0", "flags:\t00", *lines]))


def used(proc: Path) -> dict[str, int]:
    assert proc.exists()
    return {limit.sysctl: limit.used for limit in limits.limits()}


def test_instances_and_watches_are_counted(proc: Path) -> None:
    """Of all processes of a user together; open files and threads are the kernel's own counts."""
    process(proc, 10, instances=3, watches=5)
    process(proc, 11, instances=2, watches=1)
    (proc / "12").mkdir()  # one that cannot be looked into

    assert used(proc) == {
        "fs.inotify.max_user_instances": 5,
        "fs.inotify.max_user_watches": 17,
        "fs.file-max": 1500,
        "kernel.pid_max": 700,
    }


def test_the_user_with_the_most_counts(proc: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A limit of each user is met by one of them, not by all together."""
    process(proc, 10, instances=3)
    process(proc, 11, instances=4)
    owner = {"10": 0, "11": 1000}
    look = Path.stat
    monkeypatch.setattr(
        Path,
        "stat",
        lambda self, **words: (
            os.stat_result([0] * 4 + [owner[self.name]] + [0] * 5) if self.name in owner else look(self, **words)
        ),
    )
    found = limits.limits()[0]

    assert (found.used, found.uid, found.free) == (4, 1000, 124)


@pytest.mark.parametrize(("instances", "level"), [(0, "ok"), (20, "ok"), (100, "warning"), (128, "warning")])
def test_the_doctor_warns_before_the_limit_is_met(proc: Path, instances: int, level: str) -> None:
    """128 instances do while few of them are used; with what others use, the cluster's would not fit any more."""
    process(proc, 10, instances=instances)
    found = next(f for f in doctor.examine() if f.name == "inotify")

    assert found.level == level
    assert f"{instances} of 128 used for fs.inotify.max_user_instances" in found.seen
    assert ("fs.inotify.max_user_instances=512" in found.next) == (level == "warning")


@pytest.mark.parametrize(
    ("name", "text", "sysctl"),
    [
        ("sys/fs/inotify/max_user_instances", "48", "fs.inotify.max_user_instances"),
        ("sys/fs/inotify/max_user_watches", "8192", "fs.inotify.max_user_watches"),
        ("sys/fs/file-max", "20000", "fs.file-max"),
        ("sys/kernel/pid_max", "4096", "kernel.pid_max"),
        ("loadavg", "0.5 0.4 0.3 2/32000 4711", "kernel.pid_max"),
    ],
)
def test_each_limit_has_a_next_step(proc: Path, name: str, text: str, sysctl: str) -> None:
    """The sysctl that is too low is named with a value that can be pasted, and no other is."""
    (proc / name).write_text(text)
    found = next(f for f in doctor.examine() if f.name == "inotify")

    assert found.level == "warning"
    assert [word.partition("=")[0] for word in found.next.split() if "=" in word] == [sysctl]


def test_a_kernel_without_limits_has_none(tmp_path: Path) -> None:
    """Where /proc says nothing, nothing is found, and nothing is raised."""
    assert limits.limits(tmp_path) == []
