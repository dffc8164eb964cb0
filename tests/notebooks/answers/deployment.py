"""Wrong answers to the exercises of 3.2-deployment, each wrong in its own way."""

from collections.abc import Callable

from kitlib.cluster.bound import Cluster
from kitlib.measure.workloads import tags
from kitlib.workloads import app
from tests.notebooks.answers.shell import bash

PROBE = "readinessProbe: {httpGet: {path: /ready, port: http}, periodSeconds: 1}"


def _in(name: str, text: str) -> str:
    """Commands in the exercise's namespace, which is made first."""
    return f"kubectl create namespace kit-{name} --dry-run=client -o yaml | kubectl apply -f -\n{text}"


def _patched(name: str, spec: str) -> str:
    """Add to the container of the Deployment, and wait for the rollout."""
    patch = f"spec: {{template: {{spec: {{containers: [{{name: catalog, {spec}}}]}}}}}}"
    return (
        f"kubectl -n kit-{name} patch deployment {name} -p '{patch}'\n"
        f"kubectl -n kit-{name} rollout status deployment/{name} --timeout=60s"
    )


# unnoticed: the end is fixed and the beginning is not; the other way round; a cheat: the program does not start slowly any more
NO_PROBE = bash(
    _in(
        "orders",
        "sed -i '/DRAIN_DELAY/{n;s/0s/3s/}' orders.yaml\nkubectl apply -f orders.yaml\n"
        "kubectl -n kit-orders rollout status deployment/orders --timeout=60s",
    )
)
NO_DRAIN = bash(
    _in(
        "orders",
        "kubectl apply -f orders.yaml\n"
        + _patched("orders", f'env: [{{name: CATALOG_GRACEFUL, value: "false"}}], {PROBE}'),
    )
)
QUICK = bash(
    _in(
        "orders",
        "sed -i '/START_DELAY/{n;s/1s/0s/}' orders.yaml\nkubectl apply -f orders.yaml\n" + _patched("orders", PROBE),
    )
)

# undo: the broken release is restarted; a recreated Deployment, without a history; another release rolled forward
BROKEN = (
    "kubectl apply -f billing.yaml\nkubectl -n kit-billing rollout status deployment/billing --timeout=60s\n"
    "kubectl apply -f billing-next.yaml\n"
)
RESTARTED = bash(_in("billing", BROKEN + "kubectl -n kit-billing rollout restart deployment/billing"))
MADE_ANEW = bash(
    _in(
        "billing",
        BROKEN + "kubectl -n kit-billing delete deployment billing --cascade=foreground\nkubectl apply -f billing.yaml",
    )
)
ANOTHER_IMAGE = bash(
    _in(
        "billing",
        BROKEN + "kubectl -n kit-billing set image deployment/billing catalog=kit.local/catalog:2.0\n"
        "kubectl -n kit-billing rollout status deployment/billing --timeout=60s",
    )
)

# configured: the file is bound by subPath; the environment alone; a cheat: the values stand in the Deployment
MADE = (
    "kubectl -n kit-welcome delete deployment,configmap,secret welcome --ignore-not-found\n"
    "kubectl -n kit-welcome create configmap welcome --from-literal=motd=hello\n"
    "kubectl -n kit-welcome create secret generic welcome --from-literal=api-key=dummy-key\n"
    "kubectl apply -f welcome.yaml\n"
)
KEY_BY_NAME = "{name: CATALOG_API_KEY, valueFrom: {secretKeyRef: {name: welcome, key: api-key}}}"
MOUNTED = "{name: CATALOG_MOTD_FILE, value: /etc/catalog/motd}"
FROM_ENVIRONMENT = "{name: CATALOG_MOTD, valueFrom: {configMapKeyRef: {name: welcome, key: motd}}}"
SUB_PATH = bash(
    _in(
        "welcome",
        MADE + "kubectl -n kit-welcome patch deployment welcome -p "
        "'spec: {template: {spec: {volumes: [{name: config, configMap: {name: welcome}}]}}}'\n"
        + _patched(
            "welcome",
            f"env: [{MOUNTED}, {KEY_BY_NAME}], "
            "volumeMounts: [{name: config, mountPath: /etc/catalog/motd, subPath: motd}]",
        ),
    )
)
ENVIRONMENT = bash(_in("welcome", MADE + _patched("welcome", f"env: [{FROM_ENVIRONMENT}, {KEY_BY_NAME}]")))
LITERAL = bash(
    _in(
        "welcome", MADE + _patched("welcome", f"env: [{FROM_ENVIRONMENT}, {{name: CATALOG_API_KEY, value: dummy-key}}]")
    )
)

# single: the defaults; no surge, which lets the old pod drain beside the new one; a cheat: no pod that could overlap
DEFAULTS = bash(
    _in("ledger", "kubectl apply -f ledger.yaml\nkubectl -n kit-ledger rollout status deployment/ledger --timeout=60s")
)
NO_SURGE = bash(
    _in(
        "ledger",
        "kubectl apply -f ledger.yaml\nkubectl -n kit-ledger patch deployment ledger -p "
        "'spec: {strategy: {rollingUpdate: {maxSurge: 0, maxUnavailable: 1}}}'\n"
        "kubectl -n kit-ledger rollout status deployment/ledger --timeout=60s",
    )
)
NO_POD = bash(_in("ledger", "kubectl apply -f ledger.yaml\nkubectl -n kit-ledger scale deployment ledger --replicas=0"))


def _pinned(cluster: Cluster, image: str) -> None:
    namespace = cluster.namespace("pinned")
    namespace.apply(*app.manifests("pinned", image, replicas=2, treatments=["small", "quick-exit"]))
    app.roll_out(namespace, "pinned")


def _by_tag(cluster: Cluster) -> None:
    _pinned(cluster, tags.move(cluster, "pinned", tags.OLD))


def _another_release(cluster: Cluster) -> None:
    _pinned(cluster, tags.pinned(cluster, tags.NEW))


def _another_tag(cluster: Cluster) -> None:
    """The cheat: a tag that the check does not move."""
    _pinned(cluster, tags.release(cluster, tags.OLD))


WRONG: dict[str, tuple[Callable[[Cluster], object], ...]] = {
    "3.2-deployment/unnoticed": (NO_PROBE, NO_DRAIN, QUICK),
    "3.2-deployment/undo": (RESTARTED, MADE_ANEW, ANOTHER_IMAGE),
    "3.2-deployment/configured": (SUB_PATH, ENVIRONMENT, LITERAL),
    "3.2-deployment/single": (DEFAULTS, NO_SURGE, NO_POD),
    "3.2-deployment/pinned": (_by_tag, _another_release, _another_tag),
}
