#!/bin/sh
# Prometheus' client for Python parses a /metrics page into series that the page does not have.
#
# Guessed: text_string_to_metric_families() gives each sample the name that stands in its line, the name that Prometheus
#   stores and PromQL knows; and a family has the name of its # TYPE line.
# True: counters are rewritten to fit OpenMetrics. A counter whose name does not end in _total gets that ending in every
#   sample: ingress-nginx's nginx_ingress_controller_requests is read as nginx_ingress_controller_requests_total, which
#   is on no page and in no database. A counter that does end so loses the ending in its family's name. Gauges,
#   histograms and summaries keep theirs. And where # TYPE has the name without _total and the samples with it, as
#   OpenMetrics writes it, the samples fall out of their family: it is empty, and they are of type unknown.
# Why it matters: the text format allows any name for a counter, and Prometheus stores it as it is. A tool that reads a page
#   to make queries, alerts or dashboards, or to check that a metric exists, asks for series that never were; a check by
#   family.name misses all those that follow the naming advice.
# Sources: prometheus/client_python#905 (closed) on the last case; the comment "Munge counters into OpenMetrics" in the
#   parser; volcano-sh/kthena#1652, a sidecar whose counters went missing.
set -eu
work=$(mktemp -d)
# shellcheck source=/dev/null
. "$(dirname "$0")/lib/common.sh"

python_with venv prometheus-client==0.26.0
cat >"$work/show.py" <<'PYTHON'
from prometheus_client.parser import text_string_to_metric_families

PAGES = [
    "# TYPE nginx_ingress_controller_requests counter\nnginx_ingress_controller_requests 7\n",
    "# TYPE http_requests_total counter\nhttp_requests_total 7\n",
    "# TYPE http_requests counter\nhttp_requests_total 7\n",
    "# TYPE jobs_total gauge\njobs_total 7\n",
]
for page in PAGES:
    print(page, end="")
    for family in text_string_to_metric_families(page):
        print(f"  family {family.name}, {family.type}: {[sample.name for sample in family.samples]}")
PYTHON
"$work/venv/bin/python" "$work/show.py" >"$work/seen"

compare <<'EXPECTED'
# TYPE nginx_ingress_controller_requests counter
nginx_ingress_controller_requests 7
  family nginx_ingress_controller_requests, counter: ['nginx_ingress_controller_requests_total']
# TYPE http_requests_total counter
http_requests_total 7
  family http_requests, counter: ['http_requests_total']
# TYPE http_requests counter
http_requests_total 7
  family http_requests, counter: []
  family http_requests_total, unknown: ['http_requests_total']
# TYPE jobs_total gauge
jobs_total 7
  family jobs_total, gauge: ['jobs_total']
EXPECTED
