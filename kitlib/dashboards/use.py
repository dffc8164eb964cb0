"""USE: utilisation, saturation and errors of what nodes have, and of what containers are given."""

from __future__ import annotations

from kitlib.dashboards.definitions import Dashboard, Panel, Query

OF = 'namespace=~"$namespace", container!=""'
POD = "{{pod}}"
SIZE, FREE, AVAILABLE = (f'node_filesystem_{what}_bytes{{mountpoint="/"}}' for what in ("size", "free", "avail"))
LOOKED = "1m"  # the kubelet looks at containers every 10 to 15 s, however often it is scraped


def _pods(series: str, more: str = OF) -> str:
    return f"sum by (namespace, pod) (rate({series}{{{more}}}[{LOOKED}]))"


USE = Dashboard(
    "kit-use",
    "Nodes and containers: utilisation, saturation, errors",
    (
        (
            "Nodes",
            (
                Panel(
                    "CPU: utilisation",
                    "The share of all cores that is not idle.",
                    "percentunit",
                    (
                        Query(
                            '1 - avg by (node) (rate(node_cpu_seconds_total{mode="idle"}[$__rate_interval]))',
                            "{{node}}",
                        ),
                    ),
                ),
                Panel(
                    "CPU: saturation",
                    "Processes that run or want to, for each core.",
                    "short",
                    (
                        Query(
                            'node_load1 / on (node) count by (node) (node_cpu_seconds_total{mode="idle"})', "{{node}}"
                        ),
                    ),
                ),
                Panel(
                    "Memory: utilisation",
                    "What is not available any more.",
                    "percentunit",
                    (Query("1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes", "{{node}}"),),
                ),
                Panel(
                    "Memory: saturation",
                    "Pages a second that had to be read from a disk.",
                    "short",
                    (Query("rate(node_vmstat_pgmajfault[$__rate_interval])", "{{node}}"),),
                ),
                Panel(
                    "File system: utilisation",
                    "Of the file system that the node's root is on.",
                    "percentunit",
                    (
                        Query(  # as df has it: the blocks reserved for root are neither used nor available
                            f"({SIZE} - {FREE}) / ({SIZE} - {FREE} + {AVAILABLE})",
                            "{{node}}",
                        ),
                    ),
                ),
            ),
        ),
        (
            "Containers",
            (
                Panel(
                    "CPU: utilisation", "Of a pod.", "cores", (Query(_pods("container_cpu_usage_seconds_total"), POD),)
                ),
                Panel(
                    "Memory: utilisation",
                    "Of the limit; what the kernel cannot take back.",
                    "percentunit",
                    (
                        Query(
                            f"sum by (namespace, pod) (container_memory_working_set_bytes{{{OF}}})"
                            f" / (sum by (namespace, pod) (container_spec_memory_limit_bytes{{{OF}}}) > 0)",
                            POD,
                        ),
                    ),
                ),
                Panel(
                    "Network",
                    "Received and sent by a pod.",
                    "Bps",
                    (
                        Query(
                            _pods("container_network_receive_bytes_total", 'namespace=~"$namespace"'), f"{POD} received"
                        ),
                        Query(
                            _pods("container_network_transmit_bytes_total", 'namespace=~"$namespace"'), f"{POD} sent"
                        ),
                    ),
                ),
                Panel(
                    "Errors: killed for memory",
                    "By the kernel, in five minutes.",
                    "short",
                    (Query(f"sum by (namespace, pod) (increase(container_oom_events_total{{{OF}}}[5m]))", POD),),
                ),
                Panel(
                    "Errors: restarts",
                    "In five minutes.",
                    "short",
                    (
                        Query(
                            'sum by (namespace, pod) (increase(kube_pod_container_status_restarts_total{namespace=~"$namespace"}[5m]))',
                            POD,
                        ),
                    ),
                ),
            ),
        ),
    ),
)
