package config

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func env(pairs map[string]string) func(string) string {
	return func(name string) string { return pairs[name] }
}

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "catalog.json")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// A flag beats a variable, a variable beats the file, the file beats the default.
func TestPrecedence(t *testing.T) {
	path := write(t, `{"addr": ":1", "max-items": "2", "drain-delay": "3s"}`)
	variables := env(map[string]string{"CATALOG_ADDR": ":11", "CATALOG_MAX_ITEMS": "12", "CATALOG_CONFIG": path})

	cfg, err := Load([]string{"-addr", ":111"}, variables)

	if err != nil {
		t.Fatal(err)
	}
	want := Config{
		Name: "catalog", Addr: ":111", MaxItems: 12, DrainDelay: 3 * time.Second, ShutdownTimeout: 25 * time.Second,
		Graceful: true, DownstreamTimeout: 2 * time.Second, TraceSampler: 1, File: path,
	}
	if cfg != want {
		t.Errorf("config = %+v, want %+v", cfg, want)
	}
}

// An empty variable counts as unset.
func TestEmptyVariable(t *testing.T) {
	cfg, err := Load(nil, env(map[string]string{"CATALOG_ADDR": ""}))

	if err != nil || cfg.Addr != ":8080" {
		t.Errorf("addr = %q, err = %v, want the default", cfg.Addr, err)
	}
}

// Each mistake is refused with an error that names where it is and what was found.
func TestMistakes(t *testing.T) {
	for name, c := range map[string]struct {
		args      []string
		variables map[string]string
		file      string
		want      []string
	}{
		"unknown flag":       {args: []string{"-port", "1"}, want: []string{"-port"}},
		"bad flag":           {args: []string{"-drain-delay", "soon"}, want: []string{"-drain-delay", "soon"}},
		"argument":           {args: []string{"serve"}, want: []string{"serve", "-help"}},
		"bad variable":       {variables: map[string]string{"CATALOG_LOG_LEVEL": "loud"}, want: []string{"CATALOG_LOG_LEVEL", "loud", "DEBUG"}},
		"bad file value":     {file: `{"max-items": "many"}`, want: []string{"catalog.json", "max-items", "many"}},
		"unknown file key":   {file: `{"adr": ":1"}`, want: []string{"catalog.json", "adr"}},
		"file names file":    {file: `{"config": "other.json"}`, want: []string{"catalog.json", "config"}},
		"no JSON":            {file: `addr: ":1"`, want: []string{"catalog.json", "JSON object of strings"}},
		"missing file":       {args: []string{"-config", "/nowhere.json"}, want: []string{"/nowhere.json"}},
		"no port":            {args: []string{"-addr", "localhost"}, want: []string{"addr", "host:port"}},
		"no room":            {args: []string{"-max-items", "0"}, want: []string{"max-items", "0"}},
		"negative delay":     {args: []string{"-drain-delay", "-1s"}, want: []string{"drain-delay", "-1s"}},
		"budget below drain": {args: []string{"-drain-delay", "30s"}, want: []string{"shutdown-timeout", "25s", "30s"}},
		"negative start":     {args: []string{"-start-delay", "-1s"}, want: []string{"start-delay", "-1s"}},
		"no name":            {args: []string{"-name", " "}, want: []string{"name"}},
		"no time":            {args: []string{"-downstream-timeout", "0s"}, want: []string{"downstream-timeout", "0s"}},
		"no scheme":          {args: []string{"-downstream", "backend:8080"}, want: []string{"-downstream", "http://"}},
		"no host":            {variables: map[string]string{"CATALOG_DOWNSTREAM": "http://"}, want: []string{"CATALOG_DOWNSTREAM", "no host"}},
		"password in URL":    {args: []string{"-downstream", "http://a:b@c"}, want: []string{"-downstream", "no user"}},
		"no share":           {args: []string{"-trace-sampler", "often"}, want: []string{"-trace-sampler", "often", "always"}},
		"too large a share":  {args: []string{"-trace-sampler", "1.1"}, want: []string{"-trace-sampler", "1.1", "0 to 1"}},
		"no yes or no":       {args: []string{"-graceful=maybe"}, want: []string{"graceful", "maybe"}},
	} {
		t.Run(name, func(t *testing.T) {
			args := c.args
			if c.file != "" {
				args = append(args, "-config", write(t, c.file))
			}

			_, err := Load(args, env(c.variables))

			if err == nil {
				t.Fatal("accepted")
			}
			for _, part := range c.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("error %q does not mention %q", err, part)
				}
			}
		})
	}
}

// A downstream is kept as an address, and a switch of an environment variable is heard.
func TestChain(t *testing.T) {
	cfg, err := Load([]string{"-downstream", "http://backend:8080"}, env(map[string]string{"CATALOG_HEALTH_DEPENDS": "true"}))

	if err != nil || cfg.Downstream.Host != "backend:8080" || !cfg.HealthDepends {
		t.Errorf("config = %+v, err = %v", cfg, err)
	}
}

// A share is a word or a number, and is written as it is read.
func TestShare(t *testing.T) {
	for text, want := range map[string]Share{"always": 1, "never": 0, "0.25": 0.25} {
		cfg, err := Load([]string{"-trace-sampler", text}, env(nil))

		if err != nil || cfg.TraceSampler != want || cfg.TraceSampler.String() != text {
			t.Errorf("%s: share = %v, err = %v", text, cfg.TraceSampler, err)
		}
	}
}

// Help is asked for by -help and lists every setting.
func TestHelp(t *testing.T) {
	_, err := Load([]string{"-help"}, env(nil))
	var text strings.Builder
	Usage(&text)

	if !errors.Is(err, flag.ErrHelp) {
		t.Errorf("err = %v, want ErrHelp", err)
	}
	flagSet(&Config{}).VisitAll(func(f *flag.Flag) {
		if !strings.Contains(text.String(), "-"+f.Name) {
			t.Errorf("help does not list -%s", f.Name)
		}
	})
}
