"""`python -m kitlib.dashboards` regenerates the files of cluster/stacks/grafana/dashboards/."""

from kitlib.dashboards import grafana

for name, text in grafana.rendered().items():
    (grafana.FOLDER / name).write_text(text)
