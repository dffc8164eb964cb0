"""RED: rate, errors and duration of what users ask goapp for; and what its Go runtime has to say."""

from __future__ import annotations

from kitlib.dashboards.definitions import Dashboard, Panel, Query

# What users ask for; the rules of cluster/stacks/metrics count the same.
ASKED = 'route!~"/(health|ready|startup|metrics|faults.*)"'
USERS = f'namespace=~"$namespace", {ASKED}'
GO = 'namespace=~"$namespace", app!=""'


def _requests(by: str, more: str = "") -> str:
    return f"sum by ({by}) (rate(http_request_duration_seconds_count{{{USERS}{more}}}[$__rate_interval]))"


def _quantile(share: float) -> Query:
    buckets = f"rate(http_request_duration_seconds_bucket{{{USERS}}}[$__rate_interval])"
    legend = f"{{{{app}}}} p{100 * share:g}"
    return Query(f"histogram_quantile({share}, sum by (app, le) ({buckets}))", legend)


FAILING = _requests("app", ', code=~"5.."')
ERRORS = f"({FAILING} or {_requests('app')} * 0) / ({_requests('app')} > 0)"

RED = Dashboard(
    "kit-red",
    "goapp: rate, errors, duration",
    (
        (
            "Requests",
            (
                Panel(
                    "Rate", "What users ask for; no probes, no scrapes.", "reqps", (Query(_requests("app"), "{{app}}"),)
                ),
                Panel("Errors", "The share that is answered with 5xx.", "percentunit", (Query(ERRORS, "{{app}}"),)),
                Panel(
                    "Duration",
                    "Percentiles, as exact as the histogram's buckets are narrow.",
                    "s",
                    (_quantile(0.5), _quantile(0.9), _quantile(0.99)),
                ),
                Panel(
                    "Rate by route and code",
                    "Routes are patterns, so that they stay few.",
                    "reqps",
                    (Query(_requests("route, code"), "{{route}} {{code}}"),),
                ),
            ),
        ),
        (
            "Go runtime",
            (
                Panel(
                    "Memory",
                    "Resident memory of the process, and the part of it that is live objects.",
                    "bytes",
                    (
                        Query(f"sum by (app) (process_resident_memory_bytes{{{GO}}})", "{{app}} resident"),
                        Query(f"sum by (app) (go_memstats_heap_alloc_bytes{{{GO}}})", "{{app}} heap"),
                    ),
                ),
                Panel(
                    "Goroutines",
                    "A number that only grows is a leak.",
                    "short",
                    (Query(f"sum by (app) (go_goroutines{{{GO}}})", "{{app}}"),),
                ),
                Panel(
                    "CPU",
                    "Of the process.",
                    "cores",
                    (Query(f"sum by (app) (rate(process_cpu_seconds_total{{{GO}}}[$__rate_interval]))", "{{app}}"),),
                ),
                Panel(
                    "Pauses of the garbage collector",
                    "Seconds of pause in a second.",
                    "percentunit",
                    (Query(f"sum by (app) (rate(go_gc_duration_seconds_sum{{{GO}}}[$__rate_interval]))", "{{app}}"),),
                ),
            ),
        ),
    ),
)
