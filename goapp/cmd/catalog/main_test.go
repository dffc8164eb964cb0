package main

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// TestMain lets the test binary be the program: a child started with the variable runs main instead of the tests.
func TestMain(m *testing.M) {
	if os.Getenv("RUN_CATALOG") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

func command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = append(os.Environ(), "RUN_CATALOG=1")
	return cmd
}

// line is what these tests read of a log line.
type line struct{ Msg, Addr, Cause string }

// serving starts the program on a free port and returns once it says that it is ready; output is the rest of its log.
func serving(t *testing.T, args ...string) (cmd *exec.Cmd, addr string, output *json.Decoder) {
	t.Helper()
	cmd = command(t, append([]string{"-addr", "127.0.0.1:0", "-drain-delay", "0s"}, args...)...)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	output = json.NewDecoder(stdout)
	for {
		var l line
		if err := output.Decode(&l); err != nil {
			t.Fatal(err)
		}
		if l.Msg == "ready" {
			return cmd, l.Addr, output
		}
	}
}

// SIGTERM ends the process with status 0, after it has served.
func TestSignal(t *testing.T) {
	cmd, addr, output := serving(t)
	answer, err := http.Get("http://" + addr + "/health")
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	var l line
	if err := output.Decode(&l); err != nil {
		t.Fatal(err)
	}

	if l.Msg != "draining" || l.Cause != "terminated signal received" {
		t.Errorf("after SIGTERM it said %q because of %q", l.Msg, l.Cause)
	}
	for output.More() {
		if err := output.Decode(&l); err != nil {
			t.Fatal(err)
		}
	}
	if err := cmd.Wait(); err != nil || l.Msg != "stopped" {
		t.Errorf("it ended with %v after saying %q, want status 0 after stopped", err, l.Msg)
	}
}

// An injected crash ends the process with status 3, and its answer arrives whole.
func TestCrash(t *testing.T) {
	cmd, addr, _ := serving(t, "-faults")
	request, err := http.NewRequestWithContext(t.Context(), "PUT", "http://"+addr+"/faults/crash", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(answer.Body)
	answer.Body.Close()

	if err != nil || answer.StatusCode != http.StatusOK || !json.Valid(body) {
		t.Errorf("answer = %d %s, err = %v", answer.StatusCode, body, err)
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) || exit.ExitCode() != 3 {
		t.Errorf("it ended with %v, want status 3", err)
	}
}

// A wrong setting ends the process with status 1 and one line on stderr that names it.
func TestWrongSetting(t *testing.T) {
	_, err := command(t, "-max-items", "none").Output()

	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 {
		t.Fatalf("err = %v, want status 1", err)
	}
	if text := string(exit.Stderr); strings.Count(text, "\n") != 1 || !strings.Contains(text, "-max-items") {
		t.Errorf("stderr = %q, want one line that names -max-items", text)
	}
}

// -version prints one line and leaves.
func TestVersion(t *testing.T) {
	text, err := command(t, "-version").Output()

	if err != nil || !strings.HasPrefix(string(text), "catalog ") || strings.Count(string(text), "\n") != 1 {
		t.Errorf("output = %q, err = %v", text, err)
	}
}
