package problem

import (
	"errors"
	"fmt"
	"testing"
)

// An error of another kind turns into an internal one whose message does not repeat it.
func TestFromForeign(t *testing.T) {
	p := From(errors.New("password is hunter2"))

	if p.Code != Internal || p.Message != "internal error" {
		t.Errorf("From = %q %q, want internal without the detail", p.Code, p.Message)
	}
}

// A wrapped problem keeps its code, and its detail stays reachable for the log.
func TestFromWrapped(t *testing.T) {
	cause := errors.New("cause")
	err := fmt.Errorf("while reading: %w", New(TooLarge, "too much").Because(cause))

	p := From(err)

	if p.Code != TooLarge || !errors.Is(p, cause) {
		t.Errorf("From = %q, cause kept %v", p.Code, errors.Is(p, cause))
	}
}
