"""What is a secret is masked wherever it stands; what is not stays byte for byte."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Iterator
from typing import Any, cast
from urllib.parse import quote_plus

import nbformat
import pytest

from kitlib.masking import redact
from kitlib.masking.patterns import MASK
from kitlib.masking.pieces import Pieces


@pytest.fixture(autouse=True)
def _nothing_learned() -> Iterator[None]:
    redact.forget()
    yield
    redact.forget()


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


KEY = (
    "-----BEGIN RSA PRIVATE KEY-----\n"
    + "\n".join(["MIIEpAIBAAKCAQEAx7" + "Zk3/" * 11] * 4)
    + "\n-----END RSA PRIVATE KEY-----"
)
CERTIFICATE = KEY.replace("RSA PRIVATE KEY", "CERTIFICATE")
JWT = "eyJhbGciOiJSUzI1NiIsImtpZCI6IngifQ.eyJpc3MiOiJrdWJlcm5ldGVzIn0.c2lnbmF0dXJl-_x"
HEX = "3f786850e387550fdab836ed7e6dc881de23001b3f786850"
KUBECONFIG = f"""users:
- name: kit
  user:
    client-certificate-data: {b64(CERTIFICATE)}
    client-key-data: {b64(KEY)}
    token: {JWT}
"""
SECRET_YAML = f"""apiVersion: v1
kind: ConfigMap
data:
  colour: green-and-blue
---
apiVersion: v1
data:
  user: {b64("hunter2-yaml")}
  conf: |
    first hunter2-yaml
    other: hunter2-yaml
immutable: true
kind: Secret
stringData:
  plain: hunter2-yaml
type: Opaque
---
apiVersion: v1
kind: ConfigMap
data:
  size: extra-large
"""
SECRET_LIST = f"""apiVersion: v1
kind: List
items:
- apiVersion: v1
  data:
    colour: green-and-blue
  kind: ConfigMap
- apiVersion: v1
  data:
    user: {b64("hunter2-list")}
  kind: Secret
  metadata:
    name: shop
- apiVersion: v1
  data:
    size: extra-large
  kind: ConfigMap
"""
SECRET = {"apiVersion": "v1", "data": {"user": b64("hunter2-json")}, "kind": "Secret", "metadata": {"name": "shop"}}
APPLIED = {"metadata": {"annotations": {"last-applied-configuration": json.dumps(SECRET)}}}
API_LIST = {"items": [{"data": {"user": b64("hunter2-json")}, "metadata": {"name": "a"}}], "kind": "SecretList"}

# text, what must be gone, what must still be there
SECRETS = {
    "env file": ("DB_PASSWORD=hunter2\nDB_HOST=db.local", ["hunter2"], ["DB_PASSWORD=", "DB_HOST=db.local"]),
    "quoted assignment": ('password = "hunter2 and more"', ["hunter2", "more"], ["password = "]),
    "dsn": ("host=db user=app password=hunter2 sslmode=disable", ["hunter2"], ["host=db user=app", "sslmode=disable"]),
    "dsn with commas": ("user=app,password=hun,ter2,host=db", ["hun,ter2"], ["user=app", "host=db"]),
    "json": (
        '{"user": "app", "password": "hun\\"ter2", "port": 5432}',
        ["hun", "ter2"],
        ['"user": "app"', '"port": 5432}'],
    ),
    "json in json": (json.dumps({"log": json.dumps({"apiKey": "hunter2"})}), ["hunter2"], ["log", "apiKey"]),
    "html of json": (
        "{&quot;password&quot;: &quot;hunter2&quot;, &quot;a&quot;: 1}",
        ["hunter2"],
        ["&quot;a&quot;: 1"],
    ),
    "repr": ("{'access_token': 'hunter2', 'user': 'app'}", ["hunter2"], ["'user': 'app'"]),
    "yaml": (
        "db:\n  user: app\n  password: my long hunter2 # old\n  port: 1",
        ["hunter2", "long"],
        ["user: app", "# old", "port: 1"],
    ),
    "yaml flow": ("db: {user: app, password: hunter2}", ["hunter2"], ["user: app", "}"]),
    "camel case": ("clientSecret: hunter2hunter2x", ["hunter2"], ["clientSecret:"]),
    "env list": (
        "env:\n- name: DB_PASSWORD\n  value: hunter2\n- name: MODE\n  value: fast",
        ["hunter2"],
        ["value: fast"],
    ),
    "env list, json": (
        '{"env": [{"name": "DB_PASSWORD", "value": "hunter2"}, {"name": "MODE", "value": "fast"}]}',
        ["hunter2"],
        ['"value": "fast"', "DB_PASSWORD"],
    ),
    "url": ("postgres://app:hunter2@db:5432/shop?x=1", ["hunter2"], ["postgres://app:", "@db:5432/shop?x=1"]),
    "url, password with @": ("amqp://app:hunt@er2@mq/", ["hunt@er2"], ["amqp://app:", "@mq/"]),
    "bearer": ("curl -H 'Authorization: Bearer abc' x", ["abc"], ["curl -H 'Authorization: Bearer "]),
    "basic": ("Authorization: Basic YXBwOng=", ["YXBwOng="], ["Authorization: Basic "]),
    "bearer alone": ("sent Bearer 0123abcd4567 to it", ["0123abcd4567"], ["sent Bearer ", " to it"]),
    "jwt": (f"got {JWT} back", [JWT, "eyJ"], ["got ", " back"]),
    "jupyter": (f"http://127.0.0.1:8888/lab?token={HEX}&reset", [HEX], ["http://127.0.0.1:8888/lab?token=", "&reset"]),
    "jupyter, config": (f"c.ServerApp.token = '{HEX}'", [HEX], ["c.ServerApp.token"]),
    "kubeconfig": (
        KUBECONFIG,
        [b64(CERTIFICATE)[:40], b64(KEY)[:40], JWT],
        ["name: kit", "client-key-data:"],
    ),
    "kubeconfig, bootstrap token": ("    token: abcdef.0123456789abcdef", ["0123456789"], ["token:"]),
    "join": ("kubeadm join 10.0.0.1:6443 --token abcdef.0123456789abcdef --x y", ["0123456789"], ["--x y"]),
    "login": ("docker login -u app -p hunter2 registry", ["hunter2"], ["docker login -u app -p", "registry"]),
    "flag": ("mysql --password hunter2 --host db", ["hunter2"], ["--host db"]),
    "docker config": ('{"auths": {"r": {"auth": "YXBwOmh1bnRlcjI="}}}', ["YXBw"], ["auths"]),
    "pem": (f"before\n{KEY}\nafter", ["MIIE", "PRIVATE"], ["before\n", "\nafter"]),
    "pem, cut off": (KEY[:180], ["MIIE"], []),
    "pem in json": (json.dumps({"tls.key": KEY}), ["MIIE"], ["tls.key"]),
    "pem in base64": (f"key {b64(KEY)} end", [b64(KEY)[60:90]], ["key ", " end"]),
    "github": ("ghp_" + "a1B2" * 9, ["a1B2"], []),
    "aws": ("id AKIAIOSFODNN7EXAMPLE here", ["AKIA"], ["id ", " here"]),
    "secret, yaml": (
        SECRET_YAML,
        [b64("hunter2-yaml"), "hunter2"],
        ["colour: green-and-blue", "size: extra-large", "type: Opaque", "  user: ", "immutable: true"],
    ),
    "secret, yaml list": (SECRET_LIST, [b64("hunter2-list")], ["green-and-blue", "extra-large", "name: shop"]),
    "secret, yaml flow": ("kind: Secret\ndata: {user: aHVudGVyMg==}\n", ["aHVudGVy"], ["kind: Secret"]),
    "secret, json": (json.dumps(SECRET), [b64("hunter2-json")], ['"name": "shop"', '"kind": "Secret"']),
    "secret, json, indented": (json.dumps(SECRET, indent=2), [b64("hunter2-json")], ['    "name": "shop"\n']),
    "secret, json, cut off": (json.dumps(SECRET)[:-10], [b64("hunter2-json")], ["metadata"]),
    "secret, repr": (repr(SECRET), [b64("hunter2-json")], ["'name': 'shop'"]),
    "secret, applied": (json.dumps(APPLIED), [b64("hunter2-json")], ["last-applied-configuration", "shop"]),
    "secret, api list": (json.dumps(API_LIST), [b64("hunter2-json")], ['"name": "a"']),
    "colours": ('\x1b[32mpassword\x1b[39m=\x1b[33m"hunter2"\x1b[39m', ["hunter2"], ["password="]),
}

HARMLESS = [
    "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "kit.local/goapp@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "docker-pullable://localhost:5000/goapp@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "9f86d081884c 2 hours ago /bin/sh -c #(nop) CMD",
    "the word token, a secret and the password",
    "a token: it identifies its bearer; the secret: nobody knows",
    "Bearer authentication is required",
    "token, secret = lexer.next(), None",
    "token = tokens.pop()",
    "password = os.environ['DB_PASSWORD']",
    "def login(user: str, password: str = '') -> None:",
    "password: $DB_PASSWORD",
    "DB_PASSWORD=${DB_PASSWORD} TOKEN=<your token>",
    "automountServiceAccountToken: false",
    "volumes:\n- name: tls\n  secret:\n    secretName: shop-tls\n",
    "valueFrom:\n  secretKeyRef:\n    name: shop\n    key: password\n",
    "imagePullSecrets:\n- name: registry-login",
    "type: kubernetes.io/service-account-token",
    "secret/shop created",
    "Name:         shop\nType:  Opaque\n\nData\n====\npassword:  12 bytes\ntoken:  900 bytes",
    "RUN --mount=type=secret,id=ca,target=/etc/ssl/certs/ca.crt go mod download",
    "docker build --secret id=ca,src=/etc/ssl/ca.crt .",
    "docker login --password-stdin registry",
    "/etc/passwd: 19 entries\npasswd: 2 entries",
    "PWD=/work/shop\nOLDPWD=/work",
    "max_tokens=4096 token_count=17",
    ".token:hover { color: red } .token:nth-child(2) { color: blue }",
    "<svg><path d='M 10 10 L 20 20'/><text>password strength</text></svg>",
    "http://localhost:9090/api/v1/query?query=rate(x[5m])",
    "git@github.com:someone/something.git",
    "REGISTRY_PASSWORD: ${{ secrets.REGISTRY_PASSWORD }}",
    "GET http://catalog.default.svc:8080/items?owner=a@b 200",
    f"certificate-authority-data: {b64(CERTIFICATE)}",
    CERTIFICATE,
    "apiVersion: v1\nkind: ConfigMap\ndata:\n  colour: green\n",
    '{"kind": "ConfigMap", "data": {"colour": "green"}}',
    "kind: Secret\nmetadata:\n  name: shop\n",
    "\x1b[31mred\x1b[0m and plain",
    "<img src='data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ+token=/AAA=='>",
    "",
]


@pytest.mark.parametrize("case", SECRETS.values(), ids=SECRETS)
def test_secrets_are_masked_and_only_they(case: tuple[str, list[str], list[str]]) -> None:
    """Of a text with a secret, the secret goes and the rest stays."""
    text, gone, kept = case

    masked = redact.mask(text)

    assert MASK in masked
    assert [part for part in gone if part in masked] == []
    assert [part for part in kept if part not in masked] == []


@pytest.mark.parametrize("text", HARMLESS)
def test_harmless_text_is_untouched(text: str) -> None:
    """What only looks a little like a secret stays as it was."""
    assert text == redact.mask(text)


@pytest.mark.parametrize("case", SECRETS.values(), ids=SECRETS)
def test_masking_twice_changes_nothing_more(case: tuple[str, list[str], list[str]]) -> None:
    """Masking is idempotent: a notebook is masked at the display hook and again when it is written."""
    once = redact.mask(case[0])

    assert once == redact.mask(once)


def test_yaml_keeps_its_shape() -> None:
    """A masked Secret still has its keys, in their lines."""
    masked = redact.mask(SECRET_YAML)

    assert len(SECRET_YAML.splitlines()) == len(masked.splitlines())
    assert f"  user: {MASK}" in masked.splitlines()


@pytest.mark.parametrize("length", range(6, 15))
def test_learned_values_go_in_every_encoding(length: int) -> None:
    """A learned value is masked plain, in base64, in the base64 of `user:value`, in URLs and in JSON."""
    value = 'p"ss/wörd+x?&=!'[:length]
    redact.register(value)
    texts = [value, b64(value), b64(value + "\n"), json.dumps(value), "x" + value + "y"]

    assert [text for text in texts if MASK not in redact.mask(text)] == []


@pytest.mark.parametrize("user", ["a", "ab", "abc", "abcd"])
def test_a_learned_value_is_found_inside_longer_base64(user: str) -> None:
    """Docker's and HTTP's `base64(user:password)` does not carry a learned password out."""
    redact.register("correct horse battery")

    assert MASK in redact.mask(f"value is {b64(user + ':correct horse battery')} here")


def test_short_values_and_words_of_the_mask_are_not_learned() -> None:
    """A value of five characters or a part of the mask itself would spoil every text."""
    for value in ("admin", "masked", b"12345"):
        redact.register(value)

    assert redact.mask("the admin masked 12345") == "the admin masked 12345"


def test_learn_takes_a_secrets_data_without_its_public_parts() -> None:
    """The namespace and the certificates in a service account's Secret are not secret; its token is."""
    redact.learn({"namespace": b64("default"), "ca.crt": b64(CERTIFICATE), "value": b64("hunter2-learned")})

    assert f"default {CERTIFICATE} {MASK}" == redact.mask(f"default {CERTIFICATE} hunter2-learned")


def test_the_longest_learned_value_wins() -> None:
    """Of two values, one of which begins the other, no tail is left over."""
    redact.register("hunter2")
    redact.register("hunter2-long")

    assert redact.mask("hunter2-long") == MASK


def test_embedded_images_survive_learned_values() -> None:
    """A learned value that happens to occur in a picture's base64 does not break the picture."""
    redact.register("AAAAAAAA")
    image = "<img src='data:image/png;base64,iVBORAAAAAAAAAAA=='> AAAAAAAA"

    assert image.replace("> AAAAAAAA", f"> {MASK}") == redact.mask(image)


@pytest.mark.parametrize(
    "value", ["default", "running", "figure", "Running", "true", "kube-system", "123456", "5432", "10.0.0.1", "30s"]
)
def test_an_ordinary_value_takes_no_other_text_with_it(value: str) -> None:
    """A Secret whose value is an ordinary word, a number or an address leaves every text but its own entry as it was."""
    redact.learn({"flavour": b64(value)}, name="shop")
    page = f"<{value} class='{value}'><p {value}='1'>the {value} pod is {value}</p></{value}>"
    other = f'namespace: {value}\nphase={value}\n{{"status": "{value}", "{value}": 1}}\nkubectl get pods -n {value}'

    assert redact.mask(page, markup=True) == page
    assert redact.mask(other) == other


@pytest.mark.parametrize(
    "text", ["flavour: §", "FLAVOUR=§", '{"flavour": "§"}', "flavour = '§'", "map[flavour:§ user:x]", "--set flavour=§"]
)
@pytest.mark.parametrize("value", ["running", "figure", "5432", "abc"])
def test_an_ordinary_value_is_masked_beside_its_own_key(text: str, value: str) -> None:
    """Where it stands as the value of its key, an ordinary or a short value is masked all the same."""
    redact.learn({"flavour": b64(value)}, name="shop")

    assert redact.mask(text.replace("§", value)) == text.replace("§", MASK)
    assert redact.mask(text.replace("§", f"{value}s")) == text.replace("§", f"{value}s")


def test_an_ordinary_value_in_base64_is_masked() -> None:
    """The base64 of a word is no word: `kubectl get secret -o jsonpath` does not show it."""
    redact.learn({"flavour": b64("running")})

    assert redact.mask(f"data is {b64('running')}") == f"data is {MASK}"


@pytest.mark.parametrize(
    "key", ["name", "namespace", "kind", "type", "status", "class", "image", "apiVersion", "output_type"]
)
def test_a_key_that_every_manifest_has_protects_its_values(key: str) -> None:
    """A Secret with `name: figure` does not mask the name of everything that is called so."""
    redact.learn({key: b64("figure")})

    assert redact.mask(f"{key}: figure") == f"{key}: figure"


def test_the_learner_is_told_once_what_is_not_masked_everywhere(capsys: pytest.CaptureFixture[str]) -> None:
    """One line names the Secret and the key, never the value; a value that is masked everywhere is not mentioned."""
    for _ in range(2):
        redact.learn({"mode": b64("running"), "pin": b64("1234"), "api": b64("hunter2-learned")}, name="shop")

    said = " ".join(capsys.readouterr().err.split())
    assert [said.count(f"{key!r} in Secret 'shop'") for key in ("mode", "pin", "api")] == [1, 1, 0]
    assert "an ordinary word" in said and "too short" in said
    assert "running" not in said


@pytest.mark.parametrize(
    "value",
    ["hunter2", "admin123", "correct-horse-battery", "S3cretPw9", "qzxvkwpt", "AAAAAAAA", "vGx%k!ptQ", "p.q-r_s1t2"],
)
def test_a_value_that_no_text_has_by_chance_is_masked_everywhere(value: str) -> None:
    """Digits among letters, three words, letters that cannot be spoken: such a value is learned."""
    redact.register(value)

    assert redact.mask(f"it is {value}, or x{value}y") == f"it is {MASK}, or x{MASK}y"


def test_two_words_that_are_said_to_be_secret_are_masked_everywhere() -> None:
    """A value that is registered by itself is no entry of a Secret: there is no key beside which it could be masked."""
    redact.register("learned-value")

    assert redact.mask("a learned-value") == f"a {MASK}"


@pytest.mark.parametrize("length", [8, 13])
def test_a_learned_value_goes_as_bytes_too(length: int) -> None:
    """Go and Python print bytes as numbers or as hex; HTML and forms have quotings of their own."""
    value = "p'ss<&> w0rd+é"[:length]
    raw = value.encode()
    redact.register(value)
    numbers = " ".join(map(str, raw))
    texts = [
        f"{{Key:[{numbers}]}}",
        str(list(raw)),
        raw.hex(),
        raw.hex().upper(),
        html.escape(value),
        quote_plus(value),
        repr(value),
    ]

    assert [text for text in texts if MASK not in redact.mask(text)] == []


def test_tags_and_attributes_survive_a_learned_value() -> None:
    """In HTML, a learned value that is also the name of a tag or of an attribute goes only from the text and the values."""
    redact.register("x-widget7")
    page = "<x-widget7 a='1' x-widget7='x-widget7'>x-widget7</x-widget7>"

    assert redact.mask(page, markup=True) == f"<x-widget7 a='1' x-widget7='{MASK}'>{MASK}</x-widget7>"


def test_a_widget_keeps_what_a_front_end_finds_it_by() -> None:
    """Model and view names, modules and references are the structure of a widget's state; its value is masked."""
    for value in ("FloatProgressModel9", "@jupyter-widgets/controls2", "IPY_MODEL_0123abcd"):
        redact.register(value)
    state = {
        "_model_name": "FloatProgressModel9",
        "_view_module": "@jupyter-widgets/controls2",
        "layout": "IPY_MODEL_0123abcd",
    }
    content = {"output_type": "display_data", "data": {"application/x+json": {**state, "value": "token=hunter2"}}}

    assert redact.mask_output(content)["data"]["application/x+json"] == {**state, "value": f"token={MASK}"}


def test_colours_stay_on_every_line_without_a_secret() -> None:
    """Of a coloured traceback only the line with the secret is rewritten, and what it switched off stays off."""
    text = "\x1b[31mError\x1b[0m: no\npassword\x1b[33m=hunter2\x1b[0m\n\x1b[32mok\x1b[0m"

    assert redact.mask(text) == f"\x1b[31mError\x1b[0m: no\npassword={MASK}\x1b[33m\x1b[0m\n\x1b[32mok\x1b[0m"


@pytest.mark.parametrize(
    "text",
    ["\ud800 password=\udcff\ud800x1", "\0image 0\0 data:image/png;base64,AAAA", "\x1b[31", "a" * 70000, "=" * 9],
)
def test_masking_never_raises(text: str) -> None:
    """Text that is no text, as a subprocess may print it, is masked or left, and never ends a cell."""
    redact.register("\udcffabcdef1")

    assert isinstance(redact.mask(text), str)


def test_a_secret_whose_data_is_not_base64_is_learned_as_it_stands() -> None:
    """What a client wrote into `data` by mistake is no less secret."""
    redact.learn({"k": "hunter2-plain!"})

    assert redact.mask("hunter2-plain!") == MASK


PIECES = {
    "a name": (["DB_PASS", "WORD=hunter2\n"], f"DB_PASSWORD={MASK}\n"),
    "a value": (["DB_PASSWORD=hun", "ter2\nok\n"], f"DB_PASSWORD={MASK}\nok\n"),
    "a learned value": (["it is learned-", "value7 here\n"], f"it is learned-{MASK} here\n"),
    "a key": ([KEY[:94], KEY[94:] + "\nafter\n"], f"{MASK}\nafter\n"),
    "a Secret, line by line": (
        ["kind: Secret\ndata:\n", "  user: aHVudGVyMg==\n"],
        f"kind: Secret\ndata:\n  user: {MASK}\n",
    ),
    "a token": (["Authorization: Bear", "er abcdef0123456\n"], f"Authorization: Bearer {MASK}\n"),
    "nothing": (["10 %\r", "20 %\r", "done\n"], "10 %\r20 %\rdone\n"),
}


@pytest.mark.parametrize(("pieces", "shown"), PIECES.values(), ids=PIECES)
def test_a_secret_in_two_pieces_of_a_stream_does_not_leave_whole(pieces: list[str], shown: str) -> None:
    """A piece is masked with what came before it; what has left already is all that is seen of a secret."""
    redact.register("learned-value7")
    stream = Pieces(redact.mask)

    assert "".join(stream.next("stdout", piece, "cell 1") for piece in pieces) == shown


def test_pieces_of_other_streams_and_cells_are_apart() -> None:
    """What another stream or an earlier cell printed says nothing about a piece."""
    stream = Pieces(redact.mask)
    sent = [("stdout", "password=", "1"), ("stderr", "hunter2 ", "1"), ("stdout", "hunter2 ", "2")]

    assert [stream.next(*piece) for piece in sent] == ["password=", "hunter2 ", "hunter2 "]


def test_structured_data_is_masked_by_key_and_by_text() -> None:
    """In JSON data a key's name counts, a Secret's data goes, and every other type stays."""
    value = {
        "token": "hunter2",
        "n": 3,
        "ok": None,
        "list": [SECRET, {"name": "X_TOKEN", "value": "hunter2"}],
        "t": "password=hunter2",
    }

    masked = redact.mask_value(value)

    assert {"token": MASK, "n": 3, "ok": None, "t": f"password={MASK}"} == {
        k: v for k, v in masked.items() if k != "list"
    }
    assert [masked["list"][0]["data"], masked["list"][1]["value"]] == [{"user": MASK}, MASK]


def test_a_notebook_is_masked_everywhere_but_in_its_authors_source() -> None:
    """Streams (also cut in two), displays, tracebacks, widgets and parameters are masked; pictures and sources stay."""
    new: Any = nbformat.v4
    png = "iVBORw0KGgo" * 20
    outputs: list[Any] = [
        new.new_output("stream", name="stdout", text="DB_PASS"),
        new.new_output("stream", name="stdout", text="WORD=hunter2\n"),
        new.new_output(
            "display_data", {"text/plain": "password='hunter2'", "text/html": "<p>token=hunter2</p>", "image/png": png}
        ),
        new.new_output("execute_result", {"application/json": {"deep": [{"password": "hunter2"}]}}),
        new.new_output("error", ename="E", evalue="password=hunter2", traceback=["\x1b[31mpassword\x1b[0m=hunter2"]),
    ]
    cells = [
        new.new_code_cell("password = 'hunter2'", metadata={"tags": ["injected-parameters"]}),
        new.new_code_cell("login(password='chosen by the author')", outputs=outputs),
    ]
    metadata = {
        "papermill": {"parameters": {"password": "hunter2", "n": 5}},
        "widgets": {"x": {"state": {"value": "token=hunter2"}}},
    }
    nb = new.new_notebook(cells=cells, metadata=metadata)

    masked = redact.mask_notebook(nb)

    assert masked is nb
    assert "hunter2" not in json.dumps(nb)
    assert [png, 5, "login(password='chosen by the author')", f"DB_PASSWORD={MASK}\n"] == [
        nb.cells[1].outputs[1].data["image/png"],
        nb.metadata.papermill.parameters.n,
        nb.cells[1].source,
        nb.cells[1].outputs[0].text,
    ]
    nbformat.validate(nb)


def test_install_does_nothing_outside_a_kernel() -> None:
    """A plain IPython shell, or none, is left alone."""
    from IPython.core.interactiveshell import InteractiveShell

    shell: Any = cast(Any, InteractiveShell)()
    before = dict(vars(shell))

    redact.install(shell)
    redact.install(None)

    assert before == vars(shell)
