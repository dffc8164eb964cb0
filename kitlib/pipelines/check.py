"""The validators of the pipelines' files, which need neither a server nor the internet.

GitHub and GitLab publish schemas of their files, which check-jsonschema brings along; actionlint looks also at a workflow's expressions,
and has shellcheck read its scripts.  Jenkins' own validator is part of a Jenkins server: here a Jenkinsfile is only parsed as Groovy,
which finds a bracket that is missing, and not a step that Jenkins does not know.
"""

from __future__ import annotations

import sys
from pathlib import Path

from kitlib.errors import CommandFailed, choice
from kitlib.host import proc, tools
from kitlib.pipelines import files

SCHEMAS = {files.GITHUB: "vendor.github-workflows", files.GITLAB: "vendor.gitlab-ci"}
BY = {
    files.GITHUB: "GitHub's schema, actionlint, shellcheck",
    files.GITLAB: "GitLab's schema",
    files.JENKINS: "Groovy's grammar, and nothing of Jenkins",
}


def check(file: Path) -> None:
    """Raises CommandFailed with what is wrong with a pipeline's file; its name says what it has to be.

    Raises UsageError for another name.
    """
    choice(file.name, BY, "a pipeline's file")
    if file.name in SCHEMAS:
        command = Path(sys.executable).parent / "check-jsonschema"
        proc.run([command, "--builtin-schema", SCHEMAS[file.name], file])
    if file.name == files.GITHUB:
        shellcheck = Path(sys.executable).parent / "shellcheck"
        proc.run([tools.build("actionlint") / "actionlint", "-shellcheck", shellcheck, file])
    if file.name == files.JENKINS and (line := groovy_error(file.read_text())):
        raise CommandFailed(f"parse {file.name} as Groovy", 1, f"line {line} is not Groovy")


def valid(file: Path) -> bool:
    """Whether the checker of the file's CI system accepts the file."""
    try:
        check(file)
    except CommandFailed:
        return False
    return True


def groovy_error(text: str) -> int:
    """The first line that Groovy's grammar does not take, counted from 1; 0 when it takes all of them."""
    import tree_sitter
    import tree_sitter_groovy

    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_groovy.language()))
    nodes = [parser.parse(text.encode()).root_node]
    while nodes:
        node = nodes.pop()
        if node.is_error or node.is_missing:
            return int(node.start_point[0]) + 1
        nodes += reversed([child for child in node.children if child.has_error])
    return 0
