"""`python -m kitlib.dashboards` writes the files of cluster/stacks/grafana/dashboards/ anew."""

from kitlib.dashboards import grafana

for name, text in grafana.rendered().items():
    (grafana.FOLDER / name).write_text(text)
