"""An executed notebook as one HTML page that asks the network for nothing, light or dark as the reader's system is."""

from __future__ import annotations

from typing import Any

import nbformat
from nbconvert import HTMLExporter

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


def page(nb: Any, title: str) -> str:
    """The notebook's HTML.  Live widgets are left out; the text or picture beside them in the same output is shown."""
    exporter = HTMLExporter()  # type: ignore[no-untyped-call]
    dark = exporter.environment.loader.get_source(exporter.environment, "static/theme-dark.css")[0]
    exporter.raw_template = _TEMPLATE % (POLICY, dark)
    html, _ = exporter.from_notebook_node(_still(nb, title))
    return str(html)


def _still(nb: Any, title: str) -> Any:
    copy = nbformat.from_dict(nb)  # type: ignore[no-untyped-call]
    copy.metadata["title"] = title
    copy.metadata.pop("widgets", None)
    for cell in copy.cells:
        for output in cell.get("outputs", []):
            if "data" in output:
                output.data.pop(_WIDGET, None)
        if "outputs" in cell:
            cell.outputs = [output for output in cell.outputs if output.get("data", True)]
    return copy
