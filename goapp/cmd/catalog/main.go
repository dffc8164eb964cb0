// Command catalog serves a small catalogue over HTTP; see the README beside go.mod.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"kit.local/goapp/internal/catalog"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	if err := catalog.Run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Exit); err != nil {
		fmt.Fprintln(os.Stderr, "catalog:", err)
		os.Exit(1)
	}
}
