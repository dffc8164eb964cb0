// Package config reads the settings: flags win over environment variables, those over the file, that over defaults.
package config

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"time"
)

// Config is everything that can be set from outside.
type Config struct {
	Addr            string        // host:port to listen on; port 0 takes a free one
	LogLevel        slog.Level    // least level that is written
	MaxItems        int           // capacity of the store
	DrainDelay      time.Duration // from unready to closing the listener
	ShutdownTimeout time.Duration // from the signal to cutting what is still in flight; includes DrainDelay

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

func flagSet(cfg *Config) *flag.FlagSet {
	flags := flag.NewFlagSet("catalog", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // errors are returned, help is printed by Usage
	flags.StringVar(&cfg.Addr, "addr", ":8080", "`host:port` to listen on; port 0 takes a free one")
	flags.TextVar(&cfg.LogLevel, "log-level", slog.LevelInfo, "least `level` to log: DEBUG, INFO, WARN or ERROR")
	flags.IntVar(&cfg.MaxItems, "max-items", 1000, "`number` of items the catalogue can hold")
	flags.DurationVar(&cfg.DrainDelay, "drain-delay", 5*time.Second,
		"`duration`, such as 5s, to go on serving while unready before the listener closes")
	flags.DurationVar(&cfg.ShutdownTimeout, "shutdown-timeout", 25*time.Second,
		"`duration`, such as 25s, from the signal until requests still in flight are cut")
	flags.StringVar(&cfg.File, "config", "", "JSON `file` with settings, each value a string")
	flags.BoolVar(&cfg.ShowVersion, "version", false, "print the version and leave")
	return flags
}

func (c Config) validate() error {
	var broken []error
	if _, _, err := net.SplitHostPort(c.Addr); err != nil {
		broken = append(broken, fmt.Errorf("addr must be host:port, such as :8080: %w", err))
	}
	if c.MaxItems < 1 {
		broken = append(broken, fmt.Errorf("max-items must be at least 1, not %d", c.MaxItems))
	}
	if c.DrainDelay < 0 {
		broken = append(broken, fmt.Errorf("drain-delay must not be negative, not %s", c.DrainDelay))
	}
	if c.ShutdownTimeout <= c.DrainDelay {
		broken = append(broken, fmt.Errorf("shutdown-timeout (%s) must be longer than drain-delay (%s), which it includes",
			c.ShutdownTimeout, c.DrainDelay))
	}
	return errors.Join(broken...)
}
