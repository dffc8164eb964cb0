package faults

import (
	"encoding/json"
	"testing"
	"time"
)

// Every kind can be injected with nothing set, and with the examples that its errors show.
func TestEveryExampleIsAccepted(t *testing.T) {
	for _, kind := range Kinds() {
		if _, err := Parse(string(kind), nil); err != nil {
			t.Errorf("%s with nothing set: %v", kind, err)
		}
		var settings map[string]json.RawMessage
		if err := json.Unmarshal([]byte(examples(kinds[kind].fields)), &settings); err != nil {
			t.Fatal(err)
		}

		if _, err := Parse(string(kind), settings); err != nil {
			t.Errorf("%s with its examples: %v", kind, err)
		}
	}
}

// What is set is taken, and the rest is the kind's default.
func TestParse(t *testing.T) {
	got, err := Parse("delay", map[string]json.RawMessage{"lease": json.RawMessage(`"5s"`), "probes": json.RawMessage(`true`)})

	want := Fault{Kind: Delay, Lease: Duration(5 * time.Second), Probes: true, Duration: Duration(200 * time.Millisecond)}
	if err != nil || got != want {
		t.Errorf("fault = %+v, err = %v, want %+v", got, err, want)
	}
}
