package catalog

import "net/http"

// Headers of every answer.
const (
	servedBy   = "X-Served-By" // host name, which is the pod's; a chain appends
	hasVersion = "X-Version"
)

// identify writes on every answer who gives it.
func identify(host, version string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(servedBy, host)
		w.Header().Set(hasVersion, version)
		next.ServeHTTP(w, r)
	})
}
