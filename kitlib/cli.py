"""The command line.  Exit codes: 0 done, 1 something failed, 2 wrong usage, 128 + N ended by signal N."""

from __future__ import annotations

import argparse
import json
import math
import re
import signal
import sys
import time
import warnings
from collections.abc import Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import Any, NoReturn

from kitlib import paths
from kitlib.errors import KitError, UsageError, meant
from kitlib.host import stopping
from kitlib.host.console import abandon, say

STAGES = ("lint", "unit", "go", "cluster", "exercises", "notebooks")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.  Heavy packages are imported by the command that needs them; help needs none at all."""
    words = parser().parse_args(argv)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # a locale without ✓ is no reason to fail
    with stopping.watched():
        try:
            paths.settle()
            code = int(words.call(words) or 0)
            if sys.stdout:
                sys.stdout.flush()
        except UsageError as e:
            say(f"kit: {e}")
            return 2
        except KitError as e:
            say(f"kit: {e}")
            return 1
        except BrokenPipeError:  # the reader of stdout has seen enough, such as `head`
            abandon(sys.stdout)
            return 128 + signal.SIGPIPE
        except OSError as e:
            say(
                f"kit: {_told(e)}\n"
                "next: check that place, then run the same command again; ./kit doctor looks at the machine"
            )
            abandon(sys.stdout)
            return 1
        except KeyboardInterrupt as e:
            return _stopped(e)
    return code


def _stopped(by: KeyboardInterrupt) -> int:
    number = by.number if isinstance(by, stopping.Stopped) else signal.SIGINT
    how = "interrupted" if number == signal.SIGINT else f"stopped by {signal.Signals(number).name}"
    told = by.told if isinstance(by, stopping.Stopped) else ""
    say(f"kit: {how}; {told or 'the same command again goes on from here'}")
    return 128 + number


def _told(error: OSError) -> str:
    """A failed system call in one line: the system's message, and the file."""
    of = f"{error.filename}: " if error.filename else ""
    return f"{of}{(error.strerror or str(error)).lower()}".replace("\n", " ")


class Parser(argparse.ArgumentParser):
    """Options are not abbreviated, and a misspelt word is answered with the words that come close."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "allow_abbrev": False})

    @property
    def options(self) -> list[str]:
        """All of them, those of groups included, as the usage has them."""
        return re.findall(r"(?<![\w-])--?[a-z][\w-]*", self.format_usage())

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Without a command, print all of the help; for a word that a command does not know, print that command's own usage."""
        if not (sys.argv[1:] if args is None else args):
            self.print_help(sys.stderr)
            self.exit(2)
        words, rest = self.parse_known_args(args, namespace)
        if rest:
            words.parser.error(f"unrecognized arguments: {' '.join(rest)}")
        return words

    def error(self, message: str) -> NoReturn:
        """Usage, what is wrong, and the next step; ends with 2."""
        word, known = self._misspelt(message)
        self.print_usage(sys.stderr)
        self.exit(2, f"{self.prog}: error: {message}\nnext: {meant(word, known, f'./{self.prog} --help')}\n")

    def _misspelt(self, message: str) -> tuple[str, list[str]]:
        """The wrong word in one of argparse's messages, and those that could stand there."""
        if choice := re.search(r"invalid choice: '(.*?)' \(choose from (.*)\)", message):
            return choice[1], [name.strip(" '") for name in choice[2].split(",")]
        option = re.search(r"unrecognized arguments: (--?[^ =]+)", message)
        return (option[1], self.options) if option else ("", [])


def parser() -> Parser:
    """The parser of the command line: every command, with its help and its options."""
    about = "Cloud-native Go kit: learn Go, Docker and Kubernetes, and measure claims about them on a real cluster."
    top = Parser(prog="kit", description=about)
    commands = top.add_subparsers(metavar="COMMAND", required=True, parser_class=Parser)

    def command(name: str, call: Any, about: str) -> Parser:
        made: Parser = commands.add_parser(name, help=about, description=about)
        made.set_defaults(call=call, parser=made)
        return made

    command("lab", _lab, "start JupyterLab on the first chapter, and prepare what the chapters need beside it")
    _run_words(command("run", _run, "run chapters headless and write a report"))
    up = command("up", _up, "create the cluster, or start it, and wait until it is ready")
    up.add_argument(
        "--profile", choices=["one-node", "two-node"], help="how many nodes a new cluster has (default: one)"
    )
    prepare = command("prepare", _prepare, "make what chapters need beforehand: engine, cluster and images")
    prepare.add_argument("chapters", nargs="*", metavar="CHAPTER", help="like 2.3 (default: all)")
    down = command("down", _down, "remove the cluster and all that belongs to it")
    how = down.add_mutually_exclusive_group()
    how.add_argument("--images", action="store_true", help="remove the images that this checkout made, too")
    how.add_argument(
        "--forget", action="store_true", help="remove nothing: forget a cluster whose container engine is gone for good"
    )
    deploy = command("deploy", _deploy, "build goapp from source and roll it out, in the namespace kit-deploy")
    deploy.add_argument("--watch", action="store_true", help="again after each edit, until Ctrl-C")
    deploy.add_argument(
        "--source", type=Path, default=paths.ROOT / "goapp", metavar="DIR", help="goapp's source (default: goapp)"
    )
    status = command("status", _status, "what runs, and what is being prepared")
    status.add_argument("--json", action="store_true")
    status.add_argument("--watch", action="store_true", help="again each second while something is being prepared")
    progress = command(
        "progress", _progress, "show the learner's exercises, predictions and questions, chapter by chapter"
    )
    progress.add_argument("--json", action="store_true")
    command("doctor", _doctor, "check what this machine has, and what it lacks").add_argument(
        "--json", action="store_true"
    )
    test = command("test", _test, "lint, unit, Go, cluster, exercise and notebook tests (all by default)")
    for stage in STAGES:
        test.add_argument(f"--{stage}", action="append_const", const=stage, dest="stages")
    test.add_argument(
        "--cold",
        action="store_true",
        help="./kit run, then ./kit test, as on a new machine: two hours, and 60 GiB of temporary files",
    )
    _bench_words(command("bench", _bench, "measure the kit against the tools that people use today"))
    results = command("results", _results, "make the published tables and pictures from the rows in docs/rows")
    results.add_argument("--keep", type=Path, metavar="DIR", help="keep the rows of this report of a full run first")
    results.add_argument("--check", action="store_true", help="write nothing; fail where a page differs from its rows")
    images = command("images", _images, "the kit's images")
    images.add_argument("action", choices=["list", "build", "pull"])
    images.add_argument("names", nargs="*", metavar="IMAGE")
    stacks = command("stacks", _stacks, "the stacks of logs, metrics and traces: list, install and remove them")
    stacks.add_argument("action", choices=["list", "install", "remove"])
    stacks.add_argument("names", nargs="*", metavar="STACK", help="like logs (list and remove: default all)")
    return top


def _run_words(run: argparse.ArgumentParser) -> None:
    run.add_argument("chapters", nargs="*", metavar="CHAPTER", help="like 2.3 (default: all)")
    run.add_argument("--profile", choices=["quick", "full"], help="how often measurements repeat (default: quick)")
    run.add_argument("-o", "--out", type=Path, metavar="DIR", help="where the report goes (default: runs/<time>)")
    run.add_argument(
        "-p",
        "--param",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="a parameter of the notebooks; text, unless the notebook's own default is of another type",
    )
    run.add_argument(
        "--cell-timeout",
        type=_seconds,
        default=1800.0,  # kitlib/runner/run.py has it too, which is not imported for --help
        metavar="SECONDS",
        help="end a cell that takes longer, and with it its chapter (default: 1800; 0: never)",
    )
    run.add_argument(
        "--timeout", type=_seconds, metavar="SECONDS", help="end the run after so long, and report (default: never)"
    )
    run.add_argument(
        "--resume",
        action="store_true",
        help="go on with the last run, or the one in -o DIR: chapters that ended well are kept",
    )
    run.add_argument("--list", action="store_true", help="list the chapters")


def _seconds(word: str) -> float | None:
    seconds = float(word)
    if not 0 <= seconds < math.inf:
        raise ValueError(word)
    return seconds or None


def _bench_words(bench: argparse.ArgumentParser) -> None:
    bench.add_argument(
        "rows", nargs="*", metavar="ROW", help="like 1a (default: all; what is measured together stays so)"
    )
    bench.add_argument("--n", type=int, default=10, metavar="N", help="trials of each way (default: 10)")
    bench.add_argument("--out", type=Path, metavar="FILE", help="where the results go (default: bench/results.json)")


def _lab(_: argparse.Namespace) -> int:
    from kitlib.runner import lab

    return lab.run()


def _run(words: argparse.Namespace) -> int:
    from kitlib.runner.chapters import chapters, listing, resolve

    known = chapters()
    if words.list:
        from kitlib.learning import frame, header

        print(*listing(known, {it.name: header.brief(it) for it in frame.frames()}), sep="\n")
        return 0
    if words.resume and (words.chapters or words.profile or words.param):
        raise UsageError(
            "--resume goes on with a run as it was begun, with the same chapters, profile and parameters",
            hint="./kit run --resume",
        )
    chosen = resolve(words.chapters, known)
    for chapter in known:
        if chapter.problem and chapter not in chosen:
            say(f"kit: {chapter.problem}; the other chapters run")
    from kitlib.claims import register as claims

    claims.register()  # a broken register ends the command before a cluster is made
    from kitlib.runner import run

    return run.command(
        words.chapters,
        profile=words.profile or "quick",
        out=words.out,
        params=words.param,
        cell_timeout=words.cell_timeout,
        timeout=words.timeout,
        again=words.resume,
    )


def _up(words: argparse.Namespace) -> None:
    from kitlib.cluster import lifecycle

    live = lifecycle.up(words.profile)
    nodes = f"{len(live.nodes)} node{'s' * (len(live.nodes) > 1)}"
    say(
        f"cluster {live.identity.cluster} is ready: {nodes}, Kubernetes {live.kube.version()}, registry {live.registry}"
    )


def _prepare(words: argparse.Namespace) -> int:
    from kitlib.runner import preparing
    from kitlib.runner.chapters import resolve

    return preparing.run([chapter.name for chapter in resolve(words.chapters)])


def _down(words: argparse.Namespace) -> None:
    from kitlib.cluster import lifecycle

    if words.forget:
        lifecycle.forget()
    else:
        lifecycle.down(with_images=words.images)


def _deploy(words: argparse.Namespace) -> int:
    from kitlib.runner import deploy

    return deploy.run(words.source.resolve(), watch=words.watch)


def _status(words: argparse.Namespace) -> int:
    from kitlib.cluster import status

    while True:
        found = status.look()
        print(json.dumps(found, indent=1) if words.json else status.text(found), flush=True)
        status.check_settings()
        if not (words.watch and status.preparing()):
            return 0
        time.sleep(1)


def _progress(words: argparse.Namespace) -> int:
    from kitlib.learning import frame, progress

    with warnings.catch_warnings(record=True) as damaged:
        warnings.simplefilter("always", UserWarning)
        found = progress.progress(frame.frames())
    for text in dict.fromkeys(str(warning.message) for warning in damaged if warning.category is UserWarning):
        say(f"kit: {text}")
    if words.json:
        print(json.dumps(progress.as_json(found), indent=1))
    else:
        print(*progress.table(found), sep="\n")
    return 0


def _doctor(words: argparse.Namespace) -> int:
    from kitlib.runner import doctor

    findings = doctor.examine()
    if words.json:
        print(json.dumps(doctor.as_json(findings), indent=1))
    else:
        for f in findings:
            print(f"{f.level:8} {f.name:8} {f.seen}" + (f"\n{'':17} next: {f.next}" if f.level != "ok" else ""))
    return int(any(f.level == "problem" for f in findings))


def _test(words: argparse.Namespace) -> int:
    from kitlib.dev import cold, testing

    if words.cold and words.stages:
        raise UsageError("--cold runs every stage", hint="./kit test --cold")
    return cold.test() if words.cold else testing.run(words.stages or STAGES)


def _bench(words: argparse.Namespace) -> int:
    from kitlib.cluster import lifecycle
    from kitlib.dev import bench

    bench.groups(words.rows)  # a misspelt row ends the command before a cluster is made
    lifecycle.up()
    return bench.run(words.rows, n=words.n, out=words.out or bench.RESULTS)


def _results(words: argparse.Namespace) -> int:
    from kitlib.dev import published

    if words.keep and words.check:
        raise UsageError("--keep writes, and --check does not", hint="./kit results --keep DIR")
    return published.run(keep=words.keep, check=words.check)


def _images(words: argparse.Namespace) -> None:
    from kitlib.cluster import status
    from kitlib.engine import client as engines
    from kitlib.host.lock import exclusive
    from kitlib.supply import builder, images
    from kitlib.supply import choice as supply

    names = [images.image(n).name for n in words.names] or [n for n, it in images.catalogue().items() if it.available]
    if words.action == "list":
        print(status.images_table(names))
        return
    if words.action == "pull" and supply.choose() == "packages":
        raise UsageError(
            "the supply `packages` pulls nothing", hint="./kit images build, or KIT_SUPPLY=upstream ./kit images pull"
        )
    with exclusive(f"images {words.action}"):
        engine = engines.ensure()
        supply.announce()
        builder.ensure(engine, names)


def _stacks(words: argparse.Namespace) -> None:
    from kitlib.stacks import catalogue

    chosen = catalogue.named(words.names)  # a misspelt name ends the command before a cluster is made
    if words.action == "install" and not words.names:
        raise UsageError("which stack?", hint=f"./kit stacks install logs; there are {', '.join(chosen)}")
    from kitlib.cluster import bound as cluster
    from kitlib.cluster import lifecycle

    live = lifecycle.up() if words.action == "install" else cluster.bind()
    for name, entry in chosen.items():
        if words.action == "list":
            print(*catalogue.describe(live, name), sep="\n")
        else:
            (entry.install if words.action == "install" else entry.remove)(live)


if __name__ == "__main__":
    sys.exit(main())
