package catalog

import (
	"encoding/json"
	"net/http"
	"testing"
)

// Without the setting there are no fault endpoints: they are unknown paths like any other.
func TestNoFaults(t *testing.T) {
	t.Parallel()
	p := boot(t)

	p.do("GET", "/faults", "").want(t, http.StatusNotFound, `{"error":{"code":"not_found","message":"no route /faults"}}`)
	p.do("PUT", "/faults/hang", `{}`).want(t, http.StatusNotFound, `{"error":{"code":"not_found","message":"no route /faults/hang"}}`)
}

// An active fault is listed with its settings and the seconds that are left of its lease.
func TestListFaults(t *testing.T) {
	t.Parallel()
	p := boot(t, "-faults")
	p.do("GET", "/faults", "").want(t, http.StatusOK, `{"faults":[]}`)
	p.do("PUT", "/faults/delay", `{"duration":"50ms","lease":"1m"}`)

	var answer struct{ Faults []map[string]any }
	if err := json.Unmarshal([]byte(p.do("GET", "/faults", "").body), &answer); err != nil {
		t.Fatal(err)
	}

	if len(answer.Faults) != 1 {
		t.Fatalf("faults = %v", answer.Faults)
	}
	got := answer.Faults[0]
	if left := got["left"].(float64); left <= 0 || left > 60 {
		t.Errorf("left = %v seconds of a minute", left)
	}
	if got["kind"] != "delay" || got["duration"] != "50ms" || got["lease"] != "1m0s" || got["probes"] != false || len(got) != 5 {
		t.Errorf("fault = %v", got)
	}
}
