package config

import (
	"flag"
	"io"
	"log/slog"
	"time"
)

// flagSet says of every setting its name, its default and its meaning; each group is a function.
func flagSet(cfg *Config) *flag.FlagSet {
	flags := flag.NewFlagSet("catalog", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // errors are returned, help is printed by Usage
	serviceFlags(flags, cfg)
	lifeFlags(flags, cfg)
	chainFlags(flags, cfg)
	traceFlags(flags, cfg)
	shownFlags(flags, cfg)
	flags.StringVar(&cfg.File, "config", "", "JSON `file` with settings, each value a string")
	flags.BoolVar(&cfg.ShowVersion, "version", false, "print the version and leave")
	return flags
}

func serviceFlags(flags *flag.FlagSet, cfg *Config) {
	flags.StringVar(&cfg.Name, "name", "catalog", "`name` of the service in logs and traces")
	flags.StringVar(&cfg.Addr, "addr", ":8080", "`host:port` to listen on; port 0 takes a free one")
	flags.TextVar(&cfg.LogLevel, "log-level", slog.LevelInfo, "least `level` to log: DEBUG, INFO, WARN or ERROR")
	flags.IntVar(&cfg.MaxItems, "max-items", 1000, "`number` of items the catalogue can hold")
	flags.BoolVar(&cfg.Faults, "faults", false, "offer the fault endpoints")
}

func lifeFlags(flags *flag.FlagSet, cfg *Config) {
	flags.DurationVar(&cfg.StartDelay, "start-delay", 0, "`duration`, such as 40s, before the program listens")
	flags.DurationVar(&cfg.DrainDelay, "drain-delay", 5*time.Second,
		"`duration`, such as 5s, to go on serving while unready before the listener closes")
	flags.DurationVar(&cfg.ShutdownTimeout, "shutdown-timeout", 25*time.Second,
		"`duration`, such as 25s, from the signal until requests still in flight are cut")
	flags.BoolVar(&cfg.Graceful, "graceful", true, "leave in order; false cuts everything at the signal")
}

func chainFlags(flags *flag.FlagSet, cfg *Config) {
	flags.Func("downstream", "`URL`, such as http://backend:8080, of the instance that requests for items are passed on to (default none)",
		httpURL(&cfg.Downstream))
	flags.DurationVar(&cfg.DownstreamTimeout, "downstream-timeout", 2*time.Second,
		"`duration`, such as 2s, that one call to the downstream may take")
	flags.BoolVar(&cfg.HealthDepends, "health-depends", false, "let /health fail when the downstream's does")
}

func traceFlags(flags *flag.FlagSet, cfg *Config) {
	flags.Func("otlp-endpoint", "`URL`, such as http://jaeger:4318, of the collector that traces are sent to (default none)",
		httpURL(&cfg.OTLPEndpoint))
	cfg.TraceSampler = 1
	flags.Var(&cfg.TraceSampler, "trace-sampler",
		"`share` of the traces that begin here to keep: always, never or a number such as 0.1; others as their caller decided")
	flags.StringVar(&cfg.PodName, "pod-name", "", "`name` of the pod, for traces")
}

func shownFlags(flags *flag.FlagSet, cfg *Config) {
	flags.StringVar(&cfg.Motd, "motd", "", "`message` that /settings shows")
	flags.StringVar(&cfg.MotdFile, "motd-file", "", "`file` with a message that /settings reads anew at every request")
	flags.Var(&cfg.APIKey, "api-key", "`secret` of which /settings shows a fingerprint; better not as a flag, which ps shows")
}
