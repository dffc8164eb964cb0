"""Wrong answers to the exercises of 4.1-logging: plausible ones, which Elasticsearch disproves."""

from collections.abc import Callable

from kitlib.cluster.bound import Cluster
from kitlib.exercises.log_lines import SPACE, Fields, Forget, Retention
from kitlib.stacks import logs as stack
from tests.notebooks.answers.shell import Bash, applied

Answer = Callable[[Cluster], object]


def _logged(settings: str) -> Bash:
    """The exercise's file, with settings such as NAME=VALUE in the environment."""
    return applied(Fields.name, SPACE, f"kubectl -n kit-{SPACE} set env deployment/fields {settings}")


def _only_given(_: Cluster) -> None:
    Forget().given()


def _forgets_all(cluster: Cluster) -> None:
    logs = stack.install(cluster)
    logs.delete(Forget().query)


def _keeps_all(_: Cluster) -> None:
    Retention().given()


def _keeps_a_day(cluster: Cluster) -> None:
    stack.install(cluster).retain(days=1)


WRONG: dict[str, tuple[Answer, ...]] = {
    Fields.name: (_logged("CATALOG_NAME=shop"), _logged("CATALOG_LOG_LEVEL=DEBUG")),
    Forget.name: (_only_given, _forgets_all),
    Retention.name: (_keeps_all, _keeps_a_day),
}
