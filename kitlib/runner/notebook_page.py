"""An executed notebook as one HTML page that asks the network for nothing, light or dark as the reader's system is.

`./kit run` writes such pages; `jupyter nbconvert --to kit` writes one of any notebook.
"""

from __future__ import annotations

from typing import Any

import nbformat
from nbconvert import HTMLExporter

from kitlib.runner import diagrams

# Pages show only their own content, and load nothing: neither scripts nor, from an author's Markdown, pictures elsewhere.
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; base-uri 'none'; form-action 'none'"
)
_WIDGET = "application/vnd.jupyter.widget-view+json"
_TEMPLATE = """{%% extends 'lab/index.html.j2' %%}
{%% block html_head_js %%}<meta http-equiv="Content-Security-Policy" content="%s">{%% endblock %%}
{%% block jupyter_widgets %%}{%% endblock %%}
{%% block html_head_js_mathjax %%}{%% endblock %%}
{%% block html_head_js_mermaidjs %%}{%% endblock %%}
{%% block html_head_css %%}<style>
:root { color-scheme: light dark; }
main { max-width: 60rem; margin: 0 auto; }
.jp-OutputArea-output { overflow-x: auto; }
@media (max-width: 600px) {
  .jp-InputPrompt, .jp-OutputPrompt { display: none; }
  .jp-CodeMirrorEditor .highlight pre { white-space: pre-wrap; overflow-wrap: anywhere; }
}
@media (prefers-color-scheme: dark) { {%% raw %%}%s{%% endraw %%} }
</style>{%% endblock %%}
"""


class PageExporter(HTMLExporter):
    """nbconvert's exporter `kit`.  Live widgets are left out; the text or picture beside them in the same output is shown."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)  # type: ignore[no-untyped-call]
        dark = self.environment.loader.get_source(self.environment, "static/theme-dark.css")[0]
        self.raw_template = _TEMPLATE % (POLICY, dark)

    def from_notebook_node(self, nb: Any, resources: Any = None, **settings: Any) -> tuple[Any, dict[str, Any]]:
        """The page, and nbconvert's resources.  The notebook stays as it is."""
        html, resources = super().from_notebook_node(_still(nb), resources, **settings)
        return html, resources


def page(nb: Any, title: str) -> str:
    """The notebook's HTML."""
    html, _ = PageExporter().from_notebook_node({**nb, "metadata": {**nb["metadata"], "title": title}})
    return str(html)


def _still(nb: Any) -> Any:
    copy = nbformat.from_dict(nb)  # type: ignore[no-untyped-call]
    copy.metadata.pop("widgets", None)
    for cell in copy.cells:
        if cell.cell_type == "markdown":
            cell.source = diagrams.drawn(cell.source)
        for output in cell.get("outputs", []):
            if "data" in output:
                output.data.pop(_WIDGET, None)
        if "outputs" in cell:
            cell.outputs = [output for output in cell.outputs if output.get("data", True)]
    return copy
