package catalog

import (
	"context"
	"net/http"
	"testing"
)

const item1 = `{"id":1,"name":"Gopher, plush","price_cents":1900}`

// hold sends a request to a program that hangs and logs at level debug, and returns once it is held.
func (p *program) hold(ctx context.Context) chan *http.Response {
	p.t.Helper()
	answer := make(chan *http.Response, 1)
	request, err := http.NewRequestWithContext(ctx, "GET", "http://"+p.addr+"/items/1", nil)
	if err != nil {
		p.t.Fatal(err)
	}
	transport := &http.Transport{DisableKeepAlives: true}
	go func() {
		defer close(answer)
		if response, err := transport.RoundTrip(request); err == nil {
			answer <- response
		}
	}()
	p.await("request held")
	return answer
}

// An injected error has the status that was asked for, spares probes and metrics, and can be made to hit the probes.
func TestErrorFault(t *testing.T) {
	t.Parallel()
	p := boot(t, "-faults")
	const injected = `{"error":{"code":"fault","message":"this failure was injected"}}`

	p.do("PUT", "/faults/error", `{"rate":1,"status":418}`)
	p.do("GET", "/items", "").want(t, http.StatusTeapot, injected)
	p.do("GET", "/health", "").want(t, http.StatusOK, `{"status":"ok"}`)
	p.do("PUT", "/faults/error", `{"rate":1,"status":503,"probes":true}`)
	p.do("GET", "/health", "").want(t, http.StatusServiceUnavailable, injected)

	if got := p.do("GET", "/metrics", ""); got.status != http.StatusOK {
		t.Errorf("/metrics = %d", got.status)
	}
}

// A hang holds requests but no probes, until it is healed.
func TestHangUntilHealed(t *testing.T) {
	t.Parallel()
	p := boot(t, "-faults", "-log-level", "debug")
	p.do("PUT", "/faults/hang", `{}`)
	answer := p.hold(t.Context())
	p.do("GET", "/health", "").want(t, http.StatusOK, `{"status":"ok"}`)
	select {
	case <-answer:
		t.Error("the request was not held")
	default:
	}

	p.do("DELETE", "/faults/hang", "")

	read(t, <-answer).want(t, http.StatusOK, item1)
}

// A client that leaves a hang ends its request, which counts as one without an answer.
func TestHangUntilClientLeaves(t *testing.T) {
	t.Parallel()
	p := boot(t, "-faults", "-log-level", "debug")
	p.do("PUT", "/faults/hang", `{}`)
	ctx, leave := context.WithCancel(t.Context())
	answer := p.hold(ctx)
	leave()
	<-answer

	if status := p.await("request")["status"]; status != 499.0 {
		t.Errorf("status = %v, want 499", status)
	}
}

// A shutdown ends faults, so that held requests complete instead of using up its time.
func TestHangUntilShutdown(t *testing.T) {
	t.Parallel()
	p := boot(t, "-faults", "-log-level", "debug")
	p.do("PUT", "/faults/hang", `{"lease":"10m"}`)
	answer := p.hold(t.Context())

	p.stop()

	read(t, <-answer).want(t, http.StatusOK, item1)
	if err := p.wait(); err != nil {
		t.Error(err)
	}
}
