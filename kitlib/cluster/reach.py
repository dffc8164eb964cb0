"""When does a Service's address lead to its pods?  Pods are ready before kube-proxy knows them, and it reports no event when it does.

A connection that begins too early goes to a pod that is gone, or leaves the node by its default route; a server that answers there is
believed, and a client that keeps connections keeps this one.
"""

from __future__ import annotations

from collections.abc import Iterable

from kitlib.cluster.bound import Namespace
from kitlib.errors import WaitTimeout
from kitlib.kube import wait

SECONDS = 30
ASK = """\
body=$1 times=$2; shift 2
for address; do
  row=0
  while [ $row -lt $times ]; do
    if curl -sf -m 1 -o /dev/null ${body:+-H content-type:application/json -d "$body"} "http://$address"; then row=$((row + 1))
    else row=0; sleep 0.1; fi
  done
  echo "$address"
done
"""


def services(
    namespace: Namespace,
    names: Iterable[str],
    *,
    at: str = "/ready",
    body: str = "",
    times: int = 1,
    seconds: float = SECONDS,
) -> None:
    """Wait until these Services answer without an error, from every node.  Raises WaitTimeout with the first that does not.

    at: the port, if it is not 80, and the path that are asked.  body: JSON to send by POST; without one it is a GET.
    times: how often in a row, each time by a new connection: where pods were replaced, some lead to those that are gone for a moment.
    """
    kube = namespace.cluster.kube
    found = {name: kube.get("Service", name, namespace.name) for name in names}
    addresses = {f"{service['spec']['clusterIP']}{at}": name for name, service in found.items() if service}
    for node in namespace.cluster.nodes:
        ask = ("timeout", str(seconds), "sh", "-c", ASK, "sh", body, str(times), *addresses)
        reached = namespace.cluster.on_node(*ask, node=node, check=False).split()
        if missing := [name for address, name in addresses.items() if address not in reached]:
            raise WaitTimeout(
                f"the Service {missing[0]} does not answer on {node} after {seconds} s",
                observed=wait.explain(kube, namespace.name),
                hint=f"which pods does it find? kubectl -n {namespace.name} get endpointslices",
            )
