"""The command line.  Exit codes: 0 done, 1 something failed, 2 wrong usage."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kitlib.console import say
from kitlib.errors import KitError, UsageError

STAGES = ("lint", "unit", "go", "cluster", "exercises", "notebooks")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.  Heavy packages are imported by the command that needs them."""
    words = parser().parse_args(argv)
    try:
        return int(words.call(words) or 0)
    except UsageError as e:
        say(f"kit: {e}")
        return 2
    except KitError as e:
        say(f"kit: {e}")
        return 1
    except KeyboardInterrupt:
        say("kit: interrupted; the same command again goes on from here")
        return 130


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="kit", description="Claims about Go, Docker and Kubernetes, measured on a real cluster."
    )
    commands = top.add_subparsers(metavar="COMMAND", required=True)

    def command(name: str, call: Any, about: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=about, description=about)
        made.set_defaults(call=call)
        return made

    command("lab", _lab, "start the cluster and JupyterLab on the first chapter")
    _run_words(command("run", _run, "run chapters headless and write a report"))
    up = command("up", _up, "make the cluster be there and ready")
    up.add_argument(
        "--profile", choices=["one-node", "two-node"], help="how many nodes a new cluster has (default: one)"
    )
    down = command("down", _down, "remove the cluster and all that belongs to it")
    down.add_argument("--images", action="store_true", help="remove the images and build caches that the kit made, too")
    command("status", _status, "what runs").add_argument("--json", action="store_true")
    command("doctor", _doctor, "what this machine has, and what it lacks").add_argument("--json", action="store_true")
    test = command("test", _test, "lint, unit, Go, cluster, exercise and notebook tests (all by default)")
    for stage in STAGES:
        test.add_argument(f"--{stage}", action="append_const", const=stage, dest="stages")
    _bench_words(command("bench", _bench, "measure the kit against what people use today"))
    images = command("images", _images, "the kit's images")
    images.add_argument("action", choices=["list", "build", "pull"])
    images.add_argument("names", nargs="*", metavar="IMAGE")
    stacks = command(
        "stacks", _stacks, "the stacks of logs, metrics and traces: what is there; install and remove them"
    )
    stacks.add_argument("action", choices=["list", "install", "remove"])
    stacks.add_argument("names", nargs="*", metavar="STACK", help="like logs (list and remove: default all)")
    return top


def _run_words(run: argparse.ArgumentParser) -> None:
    run.add_argument("chapters", nargs="*", metavar="CHAPTER", help="like 2.3 (default: all)")
    run.add_argument("--profile", choices=["quick", "full"], default="quick")
    run.add_argument("-o", "--out", type=Path, metavar="DIR", help="where the report goes (default: runs/<time>)")
    run.add_argument(
        "-p", "--param", action="append", default=[], metavar="KEY=VALUE", help="a parameter of the notebooks"
    )
    run.add_argument("--list", action="store_true", help="list the chapters")


def _bench_words(bench: argparse.ArgumentParser) -> None:
    bench.add_argument(
        "rows", nargs="*", metavar="ROW", help="like 1a (default: all; what is measured together stays so)"
    )
    bench.add_argument("--n", type=int, default=10, metavar="N", help="trials of each way (default: 10)")
    bench.add_argument("--out", type=Path, metavar="FILE", help="where the results go (default: bench/results.json)")


def _lab(_: argparse.Namespace) -> int:
    from kitlib import lab

    return lab.run()


def _run(words: argparse.Namespace) -> int:
    if words.list:
        from kitlib.chapters import chapters

        for chapter in chapters():
            print(f"{chapter.name:24} {chapter.title}")
        return 0
    from kitlib import run

    return run.command(words.chapters, profile=words.profile, out=words.out, params=words.param)


def _up(words: argparse.Namespace) -> None:
    from kitlib import lifecycle

    live = lifecycle.up(words.profile)
    nodes = f"{len(live.nodes)} node{'s' * (len(live.nodes) > 1)}"
    say(f"cluster {live.owner.cluster} is ready: {nodes}, Kubernetes {live.kube.version()}, registry {live.registry}")


def _down(words: argparse.Namespace) -> None:
    from kitlib import lifecycle

    lifecycle.down(with_images=words.images)


def _status(words: argparse.Namespace) -> int:
    from kitlib import status

    found = status.look()
    print(json.dumps(found, indent=1) if words.json else status.text(found))
    return 0


def _doctor(words: argparse.Namespace) -> int:
    from kitlib import doctor

    findings = doctor.examine()
    if words.json:
        print(json.dumps(doctor.as_json(findings), indent=1))
    else:
        for f in findings:
            print(f"{f.level:8} {f.name:8} {f.seen}" + (f"\n{'':17} next: {f.next}" if f.level != "ok" else ""))
    return int(any(f.level == "problem" for f in findings))


def _test(words: argparse.Namespace) -> int:
    from kitlib import testing

    return testing.run(words.stages or STAGES)


def _bench(words: argparse.Namespace) -> int:
    from kitlib import bench, lifecycle

    bench.groups(words.rows)  # a misspelt row is told before a cluster is made
    lifecycle.up()
    return bench.run(words.rows, n=words.n, out=words.out or bench.RESULTS)


def _images(words: argparse.Namespace) -> None:
    from kitlib import engine as engines
    from kitlib import images, status, supply
    from kitlib.lock import exclusive

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
        images.ensure(engine, names)


def _stacks(words: argparse.Namespace) -> None:
    from kitlib.stacks import catalogue

    chosen = catalogue.named(words.names)  # a misspelt name is told before a cluster is made
    if words.action == "install" and not words.names:
        raise UsageError("which stack?", hint=f"./kit stacks install logs; there are {', '.join(chosen)}")
    from kitlib import cluster, lifecycle

    live = lifecycle.up() if words.action == "install" else cluster.bind()
    for name, entry in chosen.items():
        if words.action == "list":
            print(*catalogue.describe(live, name), sep="\n")
        else:
            (entry.install if words.action == "install" else entry.remove)(live)


if __name__ == "__main__":
    sys.exit(main())
