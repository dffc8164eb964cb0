"""Wrong answers to the exercises of 3.1-architecture."""

from tests.notebooks.answers.shell import bash


def _lonely(*lines: str) -> str:
    """The pod of the exercise with more lines in its spec, in place of an earlier answer: a pod's scheduler cannot be changed."""
    printed = "".join(f'print "  {line}"; ' for line in lines)
    awk = f"awk '{{print}} /^spec:/ {{ {printed}}}' lonely.yaml"
    return f"kubectl -n kit-bind delete pod lonely --ignore-not-found --now || true\n{awk} | kubectl apply -f -"


_default_scheduler = f"{_lonely()}\nkubectl -n kit-bind wait pod/lonely --for=condition=PodScheduled --timeout=30s"
# the cheat: the kubelet of a node takes a pod that names it, and no Binding is needed
_names_the_node = "node=$(kubectl get nodes -o jsonpath='{.items[0].metadata.name}')\n" + _lonely(
    "schedulerName: nobody", "nodeName: '\"$node\"'"
)


def _deployed(name: str, namespace: str) -> str:
    rolled_out = f"kubectl -n {namespace} rollout status deployment/{name} --timeout=60s"
    return f"kubectl apply -f {name}.yaml\n{rolled_out}"


_keeper, _patient = _deployed("keeper", "kit-adopt"), _deployed("patient", "kit-quarantine")
_orphans_only = f"{_keeper}\nkubectl -n kit-adopt delete deployment keeper --cascade=orphan"
# the cheat: a pod of one's own beside the Deployment, with a name like those that the ReplicaSet gives
_another_pod = f"{_patient}\nkubectl -n kit-quarantine run patient-examined --image=kit.local/catalog:1.0"

TWIN = """\
kubectl -n kit-twin delete pod twin --ignore-not-found --now || true
kubectl apply -f - <<'END'
apiVersion: v1
kind: Namespace
metadata: {name: kit-twin}
---
apiVersion: v1
kind: Pod
metadata: {name: twin, namespace: kit-twin}
spec:
  terminationGracePeriodSeconds: 2
  containers:
    - name: front
      image: kit.local/catalog:1.0
    - name: back
      image: kit.local/catalog:1.0
      env: [{name: CATALOG_ADDR, value: ":BACK"}]
END
kubectl -n kit-twin wait pod/twin --for=condition=Ready --timeout=60s"""
_alone = "kubectl apply -f twin.yaml"
_another_port = TWIN.replace("BACK", "9999")
_side_by_side = TWIN.replace("BACK", "9090")  # the cheat: both run, and neither knows of the other

WRONG = {
    "3.1-architecture/twin": (bash(_alone), bash(_another_port), bash(_side_by_side)),
    "3.1-architecture/quarantine": (bash(_patient), bash(_another_pod)),
    "3.1-architecture/adopt": (bash(_keeper), bash(_orphans_only)),
    "3.1-architecture/bind": (bash(_lonely("schedulerName: nobody")), bash(_default_scheduler), bash(_names_the_node)),
}
