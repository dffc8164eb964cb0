package faults

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"kit.local/goapp/internal/problem"
)

const defaultLease = 30 * time.Second

// Fault is what is broken, how badly and for how long; of the settings below Lease only those of its kind count.
type Fault struct {
	Kind  Kind
	Lease Duration // until it ends by itself

	Probes       bool     // delay, error, hang: probes are affected too
	Duration     Duration // delay, dependency: how much longer
	Rate         float64  // error: share of the requests
	Status       int      // error: HTTP status
	MiBPerSecond int      // leak
	After        Duration // crash: from the answer to the exit
}

// Duration is a time that JSON has as text, such as "200ms".
type Duration time.Duration

// MarshalText writes it like time.Duration prints it.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText reads what time.ParseDuration does.
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	*d = Duration(parsed)
	return err
}

// Parse makes a fault of a kind's name and its settings. Its problems name every wrong setting, with one that is right.
func Parse(name string, settings map[string]json.RawMessage) (Fault, error) {
	k, err := find(name)
	if err != nil {
		return Fault{}, err
	}
	fault := k.defaults
	fault.Kind, fault.Lease = Kind(name), Duration(defaultLease)
	var broken []string
	for _, setting := range slices.Sorted(maps.Keys(settings)) {
		if !slices.Contains(k.fields, setting) {
			broken = append(broken, fmt.Sprintf("%s has no %s, but %s", name, setting, examples(k.fields)))
		} else if json.Unmarshal(settings[setting], fields[setting].in(&fault)) != nil {
			broken = append(broken, wrong(setting))
		}
	}
	if len(broken) == 0 {
		broken = fault.broken(k.fields)
	}
	if len(broken) > 0 {
		return Fault{}, problem.New(problem.Invalid, "%s", strings.Join(broken, "; "))
	}
	return fault, nil
}

// find returns a kind by its name, or a not_found problem that lists all there are.
func find(name string) (kind, error) {
	k, ok := kinds[Kind(name)]
	if !ok {
		return k, problem.New(problem.NotFound, "no fault %s; there are %s", name, kindNames())
	}
	return k, nil
}

func (f Fault) broken(names []string) []string {
	var broken []string
	for _, name := range names {
		if !fields[name].right(f) {
			broken = append(broken, wrong(name))
		}
	}
	return broken
}

// settings is the fault as JSON has it, without what is of no meaning to its kind.
func (f Fault) settings() map[string]any {
	shown := map[string]any{"kind": f.Kind}
	for _, name := range kinds[f.Kind].fields {
		shown[name] = fields[name].in(&f)
	}
	return shown
}

func wrong(name string) string {
	return fmt.Sprintf(`%s must be %s, such as {"%s": %s}`, name, fields[name].rule, name, fields[name].example)
}

func examples(names []string) string {
	pairs := make([]string, len(names))
	for i, name := range names {
		pairs[i] = fmt.Sprintf(`"%s": %s`, name, fields[name].example)
	}
	return "{" + strings.Join(pairs, ", ") + "}"
}
