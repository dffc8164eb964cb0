// The Gateway API's own release: kitlib/stacks/ingress.py takes its CustomResourceDefinitions from config/crd/standard.
module kit.local/stacks/ingress/gateway-api

go 1.25.0

require sigs.k8s.io/gateway-api v1.6.1
