"""Terminals of JupyterLab: the user's shell with the user's own start files, and after them the kit's settings for tools and cluster."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path

COMMANDS = ("kubectl", "docker", "kind", "go", "helm")  # an alias or a function may lead elsewhere
POSIX = """\
# Written by ./kit lab: read after your own start files, so that commands here speak to the kit's cluster.
{exports}
unset DOCKER_CONTEXT DOCKER_DEFAULT_PLATFORM DOCKER_BUILDKIT BUILDX_CONFIG BUILDKIT_HOST COMPOSE_FILE KUBECTL_EXTERNAL_DIFF
unalias {commands} 2>/dev/null || true
unset -f {commands} 2>/dev/null || true
if [ "${{KUBECONFIG-}}" != {kubeconfig} ]; then
  echo "kit: your start files keep KUBECONFIG at ${{KUBECONFIG-}}, so that kubectl would speak to another cluster" >&2
  echo "next: take 'readonly KUBECONFIG' out of them" >&2
  exit 1
fi
"""
BASH = """\
if [ -r ~/.bashrc ]; then . ~/.bashrc; elif [ -r ~/.bash_profile ]; then . ~/.bash_profile; elif [ -r ~/.profile ]; then . ~/.profile; fi
. {kit}
"""
SH = """\
if [ -r ~/.profile ]; then . ~/.profile; fi
. {kit}
"""
# zsh reads .zshenv, then .zshrc, both in ZDOTDIR; the user's may set that themselves.
ZSHENV = """\
export KIT_ZDOTDIR={folder}
ZDOTDIR="$HOME"
[ -r "$HOME/.zshenv" ] && . "$HOME/.zshenv"
export KIT_USER_ZDOTDIR="${{ZDOTDIR:-$HOME}}"
ZDOTDIR="$KIT_ZDOTDIR"
"""
ZSHRC = """\
ZDOTDIR="$KIT_USER_ZDOTDIR"
[ -r "$ZDOTDIR/.zshrc" ] && . "$ZDOTDIR/.zshrc"
. {kit}
"""


def command(shell: str, folder: Path, variables: Mapping[str, str]) -> tuple[list[str], dict[str, str]]:
    """The command that a terminal runs, and its additional environment; folder: for the start files, created when it is missing.

    shell: $SHELL, of which bash, zsh and fish keep their start files.  For any other it is sh, the one that every system has.
    """
    folder.mkdir(parents=True, exist_ok=True)
    kit = _write(folder / "kit.sh", _posix(variables))
    match Path(shell).name:
        case "bash":
            return [shell, "--rcfile", _write(folder / "bashrc", BASH.format(kit=kit)), "-i"], {}
        case "zsh":
            _write(folder / ".zshenv", ZSHENV.format(folder=shlex.quote(str(folder))))
            _write(folder / ".zshrc", ZSHRC.format(kit=kit))
            return [shell, "-i"], {"ZDOTDIR": str(folder)}
        case "fish":
            return [
                shell,
                "--interactive",
                "--init-command",
                f"source {_write(folder / 'kit.fish', _fish(variables))}",
            ], {}
        case _:
            _write(folder / "shrc", SH.format(kit=kit))
            return ["/bin/sh", "-i"], {"ENV": str(folder / "shrc")}


def _posix(variables: Mapping[str, str]) -> str:
    exports = "\n".join(f"export {name}={shlex.quote(value)}" for name, value in variables.items())
    kubeconfig = shlex.quote(variables["KUBECONFIG"])
    return POSIX.format(exports=exports, commands=" ".join(COMMANDS), kubeconfig=kubeconfig)


def _fish(variables: Mapping[str, str]) -> str:
    lines = [f"set -gx {name} {_fish_word(value)}" for name, value in variables.items() if name != "PATH"]
    lines += [f"set -gx PATH {' '.join(map(_fish_word, variables['PATH'].split(':')))}"]
    lines += [f"functions --erase {name} 2>/dev/null" for name in COMMANDS]
    return "\n".join([*lines, "set -e DOCKER_CONTEXT", "set -e DOCKER_DEFAULT_PLATFORM", "true", ""])


def _fish_word(value: str) -> str:
    quoted = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{quoted}'"


def _write(file: Path, text: str) -> str:
    """Readable by its owner only; returns its name for a shell."""
    file.write_text(text)
    file.chmod(0o600)
    return shlex.quote(str(file))
