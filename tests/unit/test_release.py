"""What a release is made of: a version from the source, a layer from the program, a configuration from the base's."""

import io
import json
import tarfile
from pathlib import Path

from kitlib.engine import ocilayer
from kitlib.workloads import release

BASE = {
    "architecture": "amd64",
    "os": "linux",
    "created": "2020-01-01T00:00:00Z",
    "config": {"User": "65532", "Labels": {"local.kit.image": "static"}},
    "rootfs": {"type": "layers", "diff_ids": ["sha256:below"]},
    "history": [{"created_by": "base"}],
}


def source(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / name.replace("_go", ".go")).write_text(text)
    return folder


def test_the_version_follows_what_the_compiler_reads(tmp_path: Path) -> None:
    """An edit of the program gives another version; a test, a README, or the same text again does not."""
    first = release.fingerprint(source(tmp_path, main_go="package main"))
    (tmp_path / "main_test.go").write_text("package main")
    (tmp_path / "README.md").write_text("about")
    same = release.fingerprint(source(tmp_path, main_go="package main"))
    edited = release.fingerprint(source(tmp_path, main_go="package main // edited"))

    assert first == same
    assert first != edited


def test_an_embedded_file_is_part_of_the_version(tmp_path: Path) -> None:
    """Files of `//go:embed` also decide the program."""
    first = release.fingerprint(source(tmp_path, main_go="package main"))
    (tmp_path / "page.html").write_text("<p>")

    assert first != release.fingerprint(tmp_path)


def test_the_same_program_is_the_same_layer(tmp_path: Path) -> None:
    """A layer holds one program, owned by root and executable for all, and no time: its digest depends on the program alone."""
    program = tmp_path / "catalog"
    program.write_bytes(b"\x7fELF")
    first = ocilayer.tar(program, "usr/local/bin/catalog")
    program.touch()
    with tarfile.open(fileobj=io.BytesIO(first)) as archive:
        (entry,) = archive.getmembers()

    assert first == ocilayer.tar(program, "usr/local/bin/catalog")
    assert (entry.name, entry.mode, entry.uid, entry.mtime) == ("usr/local/bin/catalog", 0o755, 0, 0)


def test_the_configuration_goes_on_from_the_base() -> None:
    """Layers and history are appended, what the change names wins, the rest of the base stays; the base's time does not."""
    made = ocilayer.configuration(BASE, "sha256:top", {"Entrypoint": ["/x"], "Labels": {"a": "b"}})

    assert made["rootfs"]["diff_ids"] == ["sha256:below", "sha256:top"]
    assert made["config"] == {"User": "65532", "Entrypoint": ["/x"], "Labels": {"a": "b"}}
    assert len(made["history"]) == len(made["rootfs"]["diff_ids"])
    assert "created" not in json.dumps({k: v for k, v in made.items() if k != "history"})
