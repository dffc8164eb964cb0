package catalog

import (
	"net/http"
	"strings"
	"testing"
)

// Wrong settings are refused with a message that names each and shows a right one.
func TestInjectWrong(t *testing.T) {
	t.Parallel()
	p := boot(t, "-faults")
	for _, c := range []struct{ kind, body, want string }{
		{"delay", `{"duration":"soon"}`, `duration must be a time above 0s and at most 10m, such as {"duration": "200ms"}`},
		{"delay", `{"duration":0.2}`, `such as {"duration": "200ms"}`},
		{"hang", `{"lease":"11m"}`, `lease must be a time above 0s and at most 10m, such as {"lease": "30s"}`},
		{"hang", `{"lease":"0s"}`, `such as {"lease": "30s"}`},
		{"hang", `{"probes":"yes"}`, `probes must be true or false, such as {"probes": true}`},
		{"error", `{"rate":2,"status":200}`, `rate must be a share above 0 and at most 1, such as {"rate": 0.5}; status must be`},
		{"leak", `{"mib_per_second":0}`, `such as {"mib_per_second": 8}`},
		{"crash", `{"after":"1m"}`, `after must be a time from 0s on and shorter than the lease`},
		{"not-ready", `{"duration":"1s"}`, `not-ready has no duration, but {"lease": "30s"}`},
		{"hang", `[]`, `the body must be one JSON object such as {"lease": "30s"}`},
	} {
		got := p.do("PUT", "/faults/"+c.kind, c.body)

		if message := strings.ReplaceAll(got.body, `\"`, `"`); got.status != http.StatusBadRequest || !strings.Contains(message, c.want) {
			t.Errorf("%s %s: answer = %d %s, want 400 with %s", c.kind, c.body, got.status, message, c.want)
		}
	}
	p.do("GET", "/faults", "").want(t, http.StatusOK, `{"faults":[]}`)
}

// A kind that does not exist is not found.
func TestInjectUnknown(t *testing.T) {
	t.Parallel()
	if got := boot(t, "-faults").do("PUT", "/faults/rain", `{}`); got.status != http.StatusNotFound {
		t.Errorf("answer = %d %s", got.status, got.body)
	}
}

// A crash is answered in full before the process exits with status 3.
func TestCrash(t *testing.T) {
	t.Parallel()
	p := boot(t, "-faults")

	got := p.do("PUT", "/faults/crash", `{}`)

	if got.status != http.StatusOK || !strings.Contains(got.body, `"kind":"crash"`) {
		t.Errorf("answer = %d %s", got.status, got.body)
	}
	if code := <-p.exits; code != 3 {
		t.Errorf("exit status = %d, want 3", code)
	}
}

// A fault is logged when it begins and when its lease is over.
func TestLease(t *testing.T) {
	t.Parallel()
	p := boot(t, "-faults")
	p.do("PUT", "/faults/not-ready", `{"lease":"50ms"}`)
	began := p.await("fault injected")
	ended := p.await("fault ended")

	if settings := began["fault"].(map[string]any); settings["kind"] != "not-ready" || settings["lease"] != "50ms" {
		t.Errorf("injected: %v", began)
	}
	if ended["kind"] != "not-ready" || ended["cause"] != "lease over" || ended["seconds"].(float64) < 0.05 {
		t.Errorf("ended: %v", ended)
	}
	p.do("GET", "/ready", "").want(t, http.StatusOK, `{"status":"ready"}`)
}
