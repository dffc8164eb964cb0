import pytest

from kitlib.kube.client import Object
from kitlib.kube.connection import Answer
from kitlib.measure.workloads.routes import arrived, instance
from kitlib.stacks.ingress import accepted
from kitlib.workloads import route_manifests

PATHS = {"/shop": "shop"}


def answer(body: object, served_by: str = "") -> Answer:
    return Answer(404, {"x-served-by": served_by} if served_by else {}, body)


@pytest.mark.parametrize(
    ("served_by", "name"),
    [("shop-865785bdd-m5jk8", "shop"), ("a-b-865785bdd-m5jk8, next-1-2", "a-b"), ("", "")],
)
def test_a_pod_tells_its_instance(served_by: str, name: str) -> None:
    """The Deployment's name is the pod's without the two parts that are made up; of a chain the first counts."""
    assert instance(answer("", served_by)) == name


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"error": {"code": "not_found", "message": "no route /one/two"}}, "/one/two"),
        ({"error": {"code": "not_found", "message": "no route /"}}, "/"),
        ({"items": []}, ""),
        ("404 page not found\n", ""),
    ],
)
def test_goapp_names_the_path_that_it_saw(body: object, path: str) -> None:
    """Its own words for a path it has nothing at; Traefik's words name none."""
    assert arrived(answer(body)) == path


@pytest.mark.parametrize(
    "rule",
    [
        route_manifests.ingress("x", "x.example", PATHS),
        route_manifests.ingress("x", "x.example", {"/shop(/|$)(.*)": "shop"}, annotations={"use-regex": "true"}),
        route_manifests.http_route("x", "x.example", PATHS, rewrite="prefix"),
    ],
    ids=["Ingress", "regular expression", "HTTPRoute"],
)
def test_the_entrance_of_a_rule(rule: Object) -> None:
    """Host and path of a request that the rule is meant for."""
    assert route_manifests.entrance(rule) == ("x.example", "/shop")


def test_annotations_choose_the_class() -> None:
    """Annotations of ingress-nginx are read by the class that knows them; regular expressions are no prefixes."""
    plain = route_manifests.ingress("x", "x.example", PATHS)
    annotated = route_manifests.ingress("x", "x.example", PATHS, annotations={"use-regex": "true"})

    assert plain["spec"]["ingressClassName"] == "kit-traefik"
    assert annotated["spec"]["ingressClassName"] == "kit-nginx"
    assert annotated["metadata"]["annotations"] == {"nginx.ingress.kubernetes.io/use-regex": "true"}
    assert annotated["spec"]["rules"][0]["http"]["paths"][0]["pathType"] == "ImplementationSpecific"


@pytest.mark.parametrize(("rewrite", "word"), [("prefix", "ReplacePrefixMatch"), ("path", "ReplaceFullPath")])
def test_two_ways_to_rewrite(rewrite: route_manifests.Rewrite, word: str) -> None:
    """Only the prefix goes, or the whole path."""
    (rule,) = route_manifests.http_route("x", "x.example", PATHS, rewrite=rewrite)["spec"]["rules"]

    assert rule["filters"][0]["urlRewrite"]["path"]["type"] == word


def test_when_an_ingress_is_accepted() -> None:
    """Once its status names where it can be reached."""
    ingress = {"kind": "Ingress", "status": {"loadBalancer": {}}}
    assert not accepted(None)
    assert not accepted(ingress)

    assert accepted({"kind": "Ingress", "status": {"loadBalancer": {"ingress": [{"hostname": "x"}]}}})


@pytest.mark.parametrize(("resolved", "seen", "taken"), [("True", 2, True), ("False", 2, False), ("True", 1, False)])
def test_when_a_route_is_accepted(resolved: str, seen: int, taken: bool) -> None:
    """Its parent takes it as it is now, and knows the Services that it names."""
    conditions = [
        {"type": "Accepted", "status": "True", "observedGeneration": seen},
        {"type": "ResolvedRefs", "status": resolved, "observedGeneration": seen},
    ]
    route = {"kind": "HTTPRoute", "metadata": {"generation": 2}, "status": {"parents": [{"conditions": conditions}]}}

    assert accepted(route) is taken


@pytest.mark.parametrize(
    ("kind", "spec", "entrance"),
    [
        ("Ingress", {"rules": [{"http": {"paths": [{"path": "/a"}]}}]}, ("any.example", "/a")),
        ("Ingress", {"rules": [{"host": "*.example", "http": {"paths": [{"path": "/"}]}}]}, ("any.example", "/")),
        ("Ingress", {"defaultBackend": {"service": {"name": "x"}}}, ("any.example", "/")),
        ("HTTPRoute", {"rules": [{"backendRefs": [{"name": "x"}]}]}, ("any.example", "/")),
        ("HTTPRoute", {"hostnames": ["a.example"], "rules": [{"matches": [{"headers": []}]}]}, ("a.example", "/")),
    ],
)
def test_the_entrance_of_a_rule_that_leaves_something_out(kind: str, spec: Object, entrance: tuple[str, str]) -> None:
    """Learners' rules may name no host, no path, or no rule at all."""
    assert route_manifests.entrance({"kind": kind, "spec": spec}) == entrance
