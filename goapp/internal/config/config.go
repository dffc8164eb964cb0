// Package config reads the settings: flags win over environment variables, those over the file, that over defaults.
package config

import (
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"time"
)

// Config is everything that can be set from outside.
type Config struct {
	Name            string        // of the service, in logs and traces
	Addr            string        // host:port to listen on; port 0 takes a free one
	LogLevel        slog.Level    // least level that is written
	MaxItems        int           // capacity of the store
	StartDelay      time.Duration // from the start to listening
	DrainDelay      time.Duration // from unready to closing the listener
	ShutdownTimeout time.Duration // from the signal to cutting what is still in flight; includes DrainDelay
	Graceful        bool          // false: the signal ends the process at once

	Downstream        *url.URL      // base of the instance that answers for the items, or nil
	DownstreamTimeout time.Duration // for one call, with its answer's body
	HealthDepends     bool          // /health asks the downstream too
	Faults            bool          // the fault endpoints exist

	OTLPEndpoint *url.URL // collector that takes traces by OTLP over HTTP, or nil
	TraceSampler Share    // of the traces that begin here
	PodName      string   // in traces, or ""

	Motd     string // a message, to see what an environment variable does
	MotdFile string // file with a message, read at every request, or ""
	APIKey   Secret // to see how a secret is kept

	File        string // JSON file that was read, or ""
	ShowVersion bool   // print the version and leave
}

// Load merges the four sources. It returns flag.ErrHelp when args ask for help.
func Load(args []string, getenv func(string) string) (Config, error) {
	var cfg Config
	flags := flagSet(&cfg)
	if err := flags.Parse(args); err != nil {
		return Config{}, err
	}
	if flags.NArg() > 0 {
		return Config{}, fmt.Errorf("unexpected argument %q: settings are flags, see -help", flags.Arg(0))
	}
	if cfg.ShowVersion {
		return cfg, nil
	}
	if err := fill(flags, environment(getenv)); err != nil {
		return Config{}, err
	}
	if cfg.File != "" {
		fromFile, err := file(flags, cfg.File)
		if err != nil {
			return Config{}, err
		}
		if err := fill(flags, fromFile); err != nil {
			return Config{}, err
		}
	}
	return cfg, cfg.validate()
}

// Usage writes what -help shows.
func Usage(w io.Writer) {
	flags := flagSet(&Config{})
	flags.SetOutput(w)
	fmt.Fprintln(w, "catalog serves a small catalogue over HTTP.")
	fmt.Fprintln(w, "A setting comes from its flag, else its environment variable, else the JSON file, else its default.")
	fmt.Fprintf(w, "The variable of -drain-delay is %s, its key in the file \"drain-delay\".\n\n", variable("drain-delay"))
	flags.PrintDefaults()
}
