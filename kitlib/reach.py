"""When does a Service's address lead to its pods?  Pods are ready before kube-proxy has heard of them, and it tells nobody when it has.

A connection that begins too early goes to a pod that is gone, or leaves the node by its default route; whoever answers there is believed,
and a client that keeps connections keeps this one.
"""

from __future__ import annotations

from collections.abc import Iterable

from kitlib import wait
from kitlib.cluster import Space
from kitlib.errors import WaitTimeout

SECONDS = 30
ASK = """\
body=$1; shift
for address; do
  until curl -sf -m 1 -o /dev/null ${body:+-H content-type:application/json -d "$body"} "http://$address"; do sleep 0.1; done
  echo "$address"
done
"""


def services(
    space: Space, names: Iterable[str], *, at: str = "/ready", body: str = "", seconds: float = SECONDS
) -> None:
    """Wait until these Services answer well, from every node.  Raises WaitTimeout naming the first that does not.

    at: the port, if it is not 80, and the path that are asked.  body: JSON to send by POST; without one it is a GET.
    """
    kube = space.cluster.kube
    found = {name: kube.get("Service", name, space.name) for name in names}
    addresses = {f"{service['spec']['clusterIP']}{at}": name for name, service in found.items() if service}
    for node in space.cluster.nodes:
        ask = ("timeout", str(seconds), "sh", "-c", ASK, "sh", body, *addresses)
        reached = space.cluster.on_node(*ask, node=node, check=False).split()
        if missing := [name for address, name in addresses.items() if address not in reached]:
            raise WaitTimeout(
                f"the Service {missing[0]} does not answer on {node} after {seconds} s",
                observed=wait.explain(kube, space.name),
                hint=f"which pods does it find? kubectl -n {space.name} get endpointslices",
            )
