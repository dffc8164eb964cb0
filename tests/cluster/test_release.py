"""A release on the real cluster: an edit of goapp's source becomes what the Service answers with."""

import shutil
import sys
from contextlib import suppress
from pathlib import Path

from kitlib import paths
from kitlib.cluster.bound import Cluster, Namespace
from kitlib.host import environment, proc
from kitlib.runner import deploy
from kitlib.workloads import app, release

SERVICE = "/api/v1/namespaces/{namespace}/services/edited:80/proxy/health"


def test_an_edit_serves(namespace: Namespace, tmp_path: Path) -> None:
    """After a release the Service answers with the version of the edited source, from an image that carries it as a label."""
    source = tmp_path / "goapp"
    shutil.copytree(paths.ROOT / "goapp", source)
    first = release.build(source, tmp_path / "first", "before")
    image = release.publish(namespace.cluster, first, release.fingerprint(source))
    namespace.apply(*app.manifests("edited", image, treatments=["quick-exit"]))
    app.roll_out(namespace, "edited")
    (source / "internal" / "version" / "edit.go").write_text("package version\n\nconst Edited = true\n")
    done = release.release(namespace, "edited", source)
    answer = namespace.cluster.kube.connection.send("GET", SERVICE.format(namespace=namespace.name), seconds=10)
    (pod,) = app.pods(namespace, "edited")

    assert done.version == release.fingerprint(source)
    assert answer.headers["X-Version"] == done.version
    assert pod["spec"]["containers"][0]["image"] == done.image != image


def test_deploy_follows_edits(cluster: Cluster, tmp_path: Path) -> None:
    """`./kit deploy --watch` serves the source; then an edit's version; what does not compile is shown and changes nothing."""
    source = tmp_path / "goapp"
    shutil.copytree(paths.ROOT / "goapp", source)
    edit = source / "internal" / "version" / "edit.go"
    steps = iter(["package version\n\nconst Edited = true\n", "package version\n\nconst Edited = nonsense\n"])
    said: list[str] = []

    class Enough(Exception):
        """All edits were made."""

    def follow(line: str) -> None:
        said.append(line)
        if line.startswith(("watching ", f"{deploy.NAME} serves")) and "watching" in "".join(said):
            edit.write_text(next(steps))
        if "goes on serving" in line:
            raise Enough

    argv: list[str | Path] = [sys.executable, "-m", "kitlib", "deploy", "--watch", "--source", source]
    try:
        with suppress(Enough):
            proc.run(argv, env=environment.kit(), on_line=follow, group=True, timeout=240)
        served = [line.split()[2] for line in said if line.startswith(f"{deploy.NAME} serves")]
        namespace = Namespace.find(cluster, deploy.NAMESPACE)
        assert namespace
        (pod,) = app.pods(namespace, deploy.NAME)

        assert len(served) == len(set(served)) == 2
        assert pod["spec"]["containers"][0]["image"].endswith(served[-1])
        assert any("nonsense" in line for line in said)
    finally:
        if namespace := Namespace.find(cluster, deploy.NAMESPACE):
            namespace.undo()
