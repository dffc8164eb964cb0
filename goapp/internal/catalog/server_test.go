package catalog

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// upload starts a POST whose body stays open, so that it is in flight until its end is sent. The client sends the body
// only once the handler asks for it (100 Continue), so the handler is running when upload returns.
func (p *program) upload() (end func(rest string), answer chan *http.Response) {
	p.t.Helper()
	body, send := io.Pipe()
	ctx, cancel := context.WithTimeout(p.t.Context(), patience)
	p.t.Cleanup(cancel)
	context.AfterFunc(ctx, func() { body.CloseWithError(ctx.Err()) })
	answer = make(chan *http.Response, 1)
	request, err := http.NewRequestWithContext(ctx, "POST", "http://"+p.addr+"/items", body)
	if err != nil {
		p.t.Fatal(err)
	}
	request.Header.Set("Expect", "100-continue")
	transport := &http.Transport{ExpectContinueTimeout: patience}
	go func() {
		defer close(answer)
		if response, err := transport.RoundTrip(request); err == nil {
			answer <- response
		}
	}()
	if _, err := io.WriteString(send, `{"name":`); err != nil {
		p.t.Fatal(err)
	}
	return func(rest string) { io.WriteString(send, rest); send.Close() }, answer
}

// On the signal the server turns unready while it still listens; then the listener closes; what is in flight
// completes; the flush comes last.
func TestShutdownOrder(t *testing.T) {
	t.Parallel()
	p := boot(t, "-drain-delay", "2s")
	end, answer := p.upload()

	p.stop()
	p.await("draining")
	p.do("GET", "/ready", "").want(t, http.StatusServiceUnavailable, `{"error":{"code":"unavailable","message":"draining"}}`)
	p.do("GET", "/items/1", "").want(t, http.StatusOK, `{"id":1,"name":"Gopher, plush","price_cents":1900}`)
	p.await("listener closed")
	if _, err := net.Dial("tcp", p.addr); err == nil {
		t.Error("the listener is still open")
	}
	end(`"Lamp"}`)

	read(t, <-answer).want(t, http.StatusCreated, `{"id":4,"name":"Lamp","price_cents":0}`)
	if requests := p.await("stopped")["requests"]; requests != 3.0 {
		t.Errorf("requests before the flush = %v, want 3", requests)
	}
	if err := p.wait(); err != nil {
		t.Error(err)
	}
}

// A request that outlives the budget is cut, and the program says so and fails; the flush happens all the same.
func TestShutdownBudget(t *testing.T) {
	t.Parallel()
	p := boot(t, "-shutdown-timeout", "100ms")
	end, answer := p.upload()

	p.stop()
	p.await("stopped")
	end("") // the client reports a cut connection only after its body has ended

	if err := p.wait(); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "in flight") {
		t.Errorf("err = %v, want the cut requests", err)
	}
	if response := <-answer; response != nil {
		t.Errorf("the cut request was answered with %d", response.StatusCode)
	}
}

// Without grace the signal cuts what is in flight, and nothing is flushed.
func TestNotGraceful(t *testing.T) {
	t.Parallel()
	p := boot(t, "-graceful=false", "-drain-delay", "10s")
	end, answer := p.upload()

	p.stop()
	p.await("cut")
	end("")

	if response := <-answer; response != nil {
		t.Errorf("the request was answered with %d", response.StatusCode)
	}
	for l := range p.lines {
		if l["msg"] == "stopped" {
			t.Error("it flushed")
		}
	}
	if err := p.wait(); err != nil {
		t.Error(err)
	}
}

// Until its start delay is over the program does not listen; a signal meanwhile ends it in order.
func TestStartDelay(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	output, stdout := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		ended <- Run(ctx, []string{"-addr", "127.0.0.1:0", "-start-delay", "1h"}, func(string) string { return "" }, stdout, func(int) {})
		stdout.Close()
	}()
	lines := bufio.NewScanner(output)
	lines.Scan() // starting
	stop()
	for lines.Scan() {
		if strings.Contains(lines.Text(), `"ready"`) {
			t.Errorf("it said %s", lines.Text())
		}
	}

	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// An address in use ends the program with an error that names it.
func TestAddressInUse(t *testing.T) {
	t.Parallel()
	p := boot(t)
	err := Run(t.Context(), []string{"-addr", p.addr}, func(string) string { return "" }, io.Discard, func(int) {})

	if err == nil || !strings.Contains(err.Error(), p.addr) {
		t.Errorf("err = %v, want %s named", err, p.addr)
	}
}

// The drain ends early when its context does, and on time when it does not.
func TestPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		pause(ctx, time.Hour)
		cut := time.Since(start)
		pause(t.Context(), time.Minute)

		if whole := time.Since(start) - cut; cut != time.Second || whole != time.Minute {
			t.Errorf("pauses = %s and %s, want 1s and 1m", cut, whole)
		}
	})
}

// Every flush runs even when an earlier one fails, and the failure is reported.
func TestFlushRunsAll(t *testing.T) {
	broken := errors.New("collector is gone")
	ran := false
	s := &server{flushes: []flush{
		func(context.Context) error { return broken },
		func(context.Context) error { ran = true; return nil },
	}}
	err := s.flush(t.Context())

	if !errors.Is(err, broken) || !ran {
		t.Errorf("err = %v, second flush ran: %v", err, ran)
	}
}
