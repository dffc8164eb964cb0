"""Java archives of cluster/jars/: copied by Maven into the kit's cache, and checked against committed checksums."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from filelock import FileLock

from kitlib import paths
from kitlib.errors import BuildFailed, SupplyError
from kitlib.host import buildcontext, debian, proc
from kitlib.host.console import step

FOLDER = paths.ROOT / "cluster" / "jars"
PACKAGES = ["maven", "openjdk-17-jdk-headless"]
PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"


def version(name: str) -> str:
    """The set's version, from its pom.xml."""
    return (FOLDER / name / "pom.xml").read_text().partition("<version>")[2].partition("<")[0]


def inputs(name: str) -> str:
    """12 hex digits over the set's pins and checksums."""
    text = "\0".join(file.read_text() for file in sorted((FOLDER / name).iterdir()))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def fetch(name: str) -> Path:
    """Folder with the archives of one set; a second call does not fetch again.  Raises BuildFailed, or SupplyError for a wrong checksum.

    Maven goes by the user's own settings.xml, so that a mirror named there is used; ~/.mavenrc is not read.
    """
    out = paths.cache() / "jars" / f"{name}-{inputs(name)}"
    if out.is_dir():
        return out
    debian.need(PACKAGES, why="Java archives")
    what = f"fetching the Java archives of {name} {version(name)}"
    with FileLock(paths.cache() / f"jars-{name}.lock"), step(what) as line:
        if out.is_dir():
            return out
        partial = out.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        argv = ["mvn", "-B", "-q", PLUGIN, f"-DoutputDirectory={partial}", "-DincludeScope=runtime"]
        env = {"MAVEN_SKIP_RC": "true"}
        proc.run(argv, cwd=FOLDER / name, env=env, on_line=line, error=BuildFailed)
        verify(partial, (FOLDER / name / "checksums.txt").read_text())
        buildcontext.level(partial).rename(out)
    return out


def verify(folder: Path, checksums: str) -> None:
    """Check that the folder has exactly the listed files with their checksums (as sha256sum).  Raises SupplyError with the wrong ones."""
    wanted = {line.split()[1]: line.split()[0] for line in checksums.splitlines()}
    found = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in folder.iterdir()}
    if wrong := sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name)):
        raise SupplyError(
            f"{len(wrong)} Java archives are not those of checksums.txt",
            observed=wrong[:10],
            hint="does a mirror deliver other files? none of them was used",
        )
