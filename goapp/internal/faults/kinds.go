// Package faults breaks the service on purpose, each fault for a lease: what an experiment forgets to mend mends itself.
package faults

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// Kind names a fault.
type Kind string

// The kinds of faults.
const (
	Delay      Kind = "delay"      // requests take longer
	Error      Kind = "error"      // a share of the requests fails
	Hang       Kind = "hang"       // requests are held until the fault ends
	Leak       Kind = "leak"       // memory is taken and kept until the fault ends
	Crash      Kind = "crash"      // the process exits
	NotReady   Kind = "not-ready"  // /ready fails
	Dependency Kind = "dependency" // the downstream, or the store when there is none, takes longer
)

// MaxLease is the longest that a fault can last.
const MaxLease = 10 * time.Minute

// kind is what a fault of a kind is when nothing is set, and what can be set.
type kind struct {
	defaults Fault
	fields   []string
}

var kinds = map[Kind]kind{
	Delay:      {Fault{Duration: Duration(200 * time.Millisecond)}, []string{"lease", "probes", "duration"}},
	Error:      {Fault{Rate: 0.5, Status: 500}, []string{"lease", "probes", "rate", "status"}},
	Hang:       {Fault{}, []string{"lease", "probes"}},
	Leak:       {Fault{MiBPerSecond: 8}, []string{"lease", "mib_per_second"}},
	Crash:      {Fault{}, []string{"lease", "after"}},
	NotReady:   {Fault{}, []string{"lease"}},
	Dependency: {Fault{Duration: Duration(3 * time.Second)}, []string{"lease", "duration"}},
}

// field is one setting: an accepted value as JSON, what a value must be, where it is kept, and whether it is right.
type field struct {
	example string
	rule    string
	in      func(*Fault) any
	right   func(Fault) bool
}

var fields = map[string]field{
	"lease": {
		`"30s"`, "a time above 0s and at most 10m",
		func(f *Fault) any { return &f.Lease },
		func(f Fault) bool { return f.Lease > 0 && f.Lease <= Duration(MaxLease) },
	},
	"probes": {
		`true`, "true or false",
		func(f *Fault) any { return &f.Probes },
		func(Fault) bool { return true },
	},
	"duration": {
		`"200ms"`, "a time above 0s and at most 10m",
		func(f *Fault) any { return &f.Duration },
		func(f Fault) bool { return f.Duration > 0 && f.Duration <= Duration(MaxLease) },
	},
	"rate": {
		`0.5`, "a share above 0 and at most 1",
		func(f *Fault) any { return &f.Rate },
		func(f Fault) bool { return f.Rate > 0 && f.Rate <= 1 },
	},
	"status": {
		`503`, "an HTTP status from 400 to 599",
		func(f *Fault) any { return &f.Status },
		func(f Fault) bool { return f.Status >= 400 && f.Status <= 599 },
	},
	"mib_per_second": {
		`8`, "a whole number from 1 to 1024",
		func(f *Fault) any { return &f.MiBPerSecond },
		func(f Fault) bool { return f.MiBPerSecond >= 1 && f.MiBPerSecond <= 1024 },
	},
	"after": {
		`"2s"`, "a time from 0s on and shorter than the lease",
		func(f *Fault) any { return &f.After },
		func(f Fault) bool { return f.After >= 0 && f.After < f.Lease },
	},
}

// Kinds lists all kinds by name.
func Kinds() []Kind { return slices.Sorted(maps.Keys(kinds)) }

func kindNames() string {
	var names []string
	for _, kind := range Kinds() {
		names = append(names, string(kind))
	}
	return strings.Join(names, ", ")
}
