package catalog

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// patience bounds every wait of a test; nothing here takes as long unless it is broken.
const patience = 30 * time.Second

// line is one line of the program's log.
type line map[string]any

// program is the real one, running in this process on a free port.
type program struct {
	t     *testing.T
	addr  string
	stop  context.CancelFunc // what SIGTERM does to the process
	lines chan line
	ended chan error
	exits chan int // codes that the program asked its process to exit with
}

// boot runs the program with extra arguments, returns once it says that it is ready, and stops it with the test.
func boot(t *testing.T, args ...string) *program {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	p := &program{t: t, stop: stop, lines: make(chan line, 1024), ended: make(chan error, 1), exits: make(chan int, 1)}
	output, stdout := io.Pipe()
	go p.read(output)
	args = append([]string{"-addr", "127.0.0.1:0", "-drain-delay", "0s"}, args...)
	go func() {
		p.ended <- Run(ctx, args, func(string) string { return "" }, stdout, func(code int) { p.exits <- code })
		close(p.ended)
		stdout.Close()
	}()
	t.Cleanup(func() { stop(); <-p.ended })
	p.addr = p.await("ready")["addr"].(string)
	return p
}

func (p *program) read(output io.Reader) {
	defer close(p.lines)
	for scanner := bufio.NewScanner(output); scanner.Scan(); {
		var l line
		if err := json.Unmarshal(scanner.Bytes(), &l); err != nil {
			p.t.Errorf("not a JSON line: %s", scanner.Text())
			continue
		}
		p.lines <- l
	}
}

// await returns the next log line with this message.
func (p *program) await(message string) line {
	p.t.Helper()
	late := time.After(patience)
	for {
		select {
		case l, ok := <-p.lines:
			if !ok {
				p.t.Fatalf("the program ended without saying %q: %v", message, <-p.ended)
			}
			if l["msg"] == message {
				return l
			}
		case <-late:
			p.t.Fatalf("the program did not say %q within %s", message, patience)
		}
	}
}

// wait returns what the program returned.
func (p *program) wait() error {
	p.t.Helper()
	select {
	case err := <-p.ended:
		return err
	case <-time.After(patience):
		p.t.Fatalf("the program did not end within %s", patience)
		return nil
	}
}

// reply is an answer with its body read.
type reply struct {
	status int
	header http.Header
	body   string
}

// do sends one request.
func (p *program) do(method, path, body string) reply {
	p.t.Helper()
	return p.ask(method, path, body, http.Header{})
}

// ask sends one request on a connection of its own, so that each also shows that the listener is open.
func (p *program) ask(method, path, body string, header http.Header) reply {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, "http://"+p.addr+path, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	request.Header = header
	request.Close = true
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		p.t.Fatal(err)
	}
	return read(p.t, answer)
}

func read(t *testing.T, answer *http.Response) reply {
	t.Helper()
	if answer == nil {
		t.Fatal("the request got no answer")
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{status: answer.StatusCode, header: answer.Header, body: strings.TrimSpace(string(text))}
}

// want fails the test unless the reply has this status and exactly this body.
func (r reply) want(t *testing.T, status int, body string) {
	t.Helper()
	if r.status != status || r.body != body {
		t.Errorf("answer = %d %s\nwant     %d %s", r.status, r.body, status, body)
	}
}
