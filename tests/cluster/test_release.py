"""A release on the real cluster: an edit of goapp's source becomes what the Service answers with."""

import shutil
from pathlib import Path

from kitlib import app, paths, release
from kitlib.cluster import Space

SERVICE = "/api/v1/namespaces/{space}/services/edited:80/proxy/health"


def test_an_edit_serves(space: Space, tmp_path: Path) -> None:
    """After a release the Service answers with the version of the edited source, from an image that carries it as a label."""
    source = tmp_path / "goapp"
    shutil.copytree(paths.ROOT / "goapp", source)
    first = release.build(source, tmp_path / "first", "before")
    image = release.publish(space.cluster, first, release.fingerprint(source))
    space.apply(*app.manifests("edited", image, treatments=["quick-exit"]))
    app.roll_out(space, "edited")
    (source / "internal" / "version" / "edit.go").write_text("package version\n\nconst Edited = true\n")
    done = release.release(space, "edited", source)
    answer = space.cluster.kube.connection.send("GET", SERVICE.format(space=space.name), seconds=10)
    (pod,) = app.pods(space, "edited")

    assert done.version == release.fingerprint(source)
    assert answer.headers["X-Version"] == done.version
    assert pod["spec"]["containers"][0]["image"] == done.image != image
