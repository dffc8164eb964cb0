package main

import (
	"bufio"
	"encoding/json"
	"errors"
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

// SIGTERM ends the process with status 0, after it has served.
func TestSignal(t *testing.T) {
	cmd := command(t, "-addr", "127.0.0.1:0", "-drain-delay", "0s")
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var line struct{ Msg, Addr, Cause string }
	output := json.NewDecoder(bufio.NewReader(stdout))
	for line.Msg != "ready" {
		if err := output.Decode(&line); err != nil {
			t.Fatal(err)
		}
	}
	answer, err := http.Get("http://" + line.Addr + "/health")
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := output.Decode(&line); err != nil {
		t.Fatal(err)
	}

	if line.Msg != "draining" || line.Cause != "terminated signal received" {
		t.Errorf("after SIGTERM it said %q because of %q", line.Msg, line.Cause)
	}
	for output.More() {
		if err := output.Decode(&line); err != nil {
			t.Fatal(err)
		}
	}
	if err := cmd.Wait(); err != nil || line.Msg != "stopped" {
		t.Errorf("it ended with %v after saying %q, want status 0 after stopped", err, line.Msg)
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
