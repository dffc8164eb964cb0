package config

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
)

// A source gives the value of a setting and what to call its origin in an error.
type source func(name string) (value, origin string, ok bool)

// onlyFlag holds for what says how to start rather than how to serve.
func onlyFlag(name string) bool { return name == "version" }

// fill sets every flag that no earlier source has set.
func fill(flags *flag.FlagSet, from source) error {
	done := map[string]bool{}
	flags.Visit(func(f *flag.Flag) { done[f.Name] = true })
	var failure error
	flags.VisitAll(func(f *flag.Flag) {
		value, origin, ok := from(f.Name)
		if failure != nil || done[f.Name] || !ok {
			return
		}
		if err := flags.Set(f.Name, value); err != nil {
			kind, usage := flag.UnquoteUsage(f)
			failure = fmt.Errorf("%s: invalid %s %q (%s): %w", origin, kind, value, usage, err)
		}
	})
	return failure
}

// variable is the environment variable of a setting.
func variable(name string) string {
	return "CATALOG_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
}

// environment treats an empty variable as unset, as Kubernetes manifests often leave them.
func environment(getenv func(string) string) source {
	return func(name string) (string, string, bool) {
		value := getenv(variable(name))
		return value, variable(name), value != "" && !onlyFlag(name)
	}
}

// file reads a JSON object of strings and refuses a key that is no setting: a typo must not pass as a default.
func file(flags *flag.FlagSet, path string) (source, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("config: %w", err)
	}
	values := map[string]string{}
	if err := json.Unmarshal(text, &values); err != nil {
		return nil, fmt.Errorf("config: %s must be a JSON object of strings: %w", path, err)
	}
	for name := range values {
		if flags.Lookup(name) == nil || onlyFlag(name) || name == "config" {
			return nil, fmt.Errorf("config: %s: %q is not a setting, see -help", path, name)
		}
	}
	return func(name string) (string, string, bool) {
		value, ok := values[name]
		return value, fmt.Sprintf("%s: %q", path, name), ok
	}, nil
}
