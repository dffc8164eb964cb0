"""Wrong answers to the exercises of 0-start."""

from tests.notebooks.answers.shell import bash

IMAGE = "kit.local/catalog:1.0"
BROKEN = "broken.yaml"


def _namespace(name: str) -> str:
    return f"kubectl create namespace {name} --dry-run=client -o yaml | kubectl apply -f -"


def _deployment(image: str, replicas: int) -> str:
    made = f"kubectl create deployment hello --image={image} --replicas={replicas} --dry-run=client -o yaml"
    return f"{_namespace('kit-start')}\n{made} | kubectl -n kit-start apply -f -"


def _greeter(*options: str) -> str:
    """What a command alone makes, without a file: it replaces an earlier answer."""
    run = f"kubectl -n kit-greeter run greeter --image={IMAGE} {' '.join(options)}"
    return f"{_namespace('kit-greeter')}\nkubectl -n kit-greeter delete pod greeter --ignore-not-found --now\n{run}"


def _shop(text: str) -> str:
    return f"kubectl -n kit-repair delete pod shop --ignore-not-found --now || true\n{text}"


_as_it_is = f"kubectl apply -f {BROKEN}"
_half_repaired = f"sed s/64Ti/64Mi/ {BROKEN} | kubectl apply -f -"
_no_label = f"sed -e s/64Ti/64Mi/ -e s/catalogue:/catalog:/ -e 's/app: shop/app: other/' {BROKEN} | kubectl apply -f -"
# the cheat: a Pod of that name which was never in the file
_from_a_command = f"kubectl -n kit-repair run shop --image={IMAGE} --labels=app=shop --env='CATALOG_MOTD=we are open'"

WRONG = {
    "0-start/greeter": (
        bash(_greeter("--labels=app=greeter")),
        bash(_greeter("--env='CATALOG_MOTD=good morning'")),
    ),
    "0-start/repair": tuple(bash(_shop(text)) for text in (_as_it_is, _half_repaired, _no_label, _from_a_command)),
    "0-start/hello": (bash(_deployment(IMAGE, 1)), bash(_deployment("kit.local/no-such-image:1", 2))),
}
