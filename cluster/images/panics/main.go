// Panics writes one line of JSON, and then ends in the way that it is told to: every one is a Go program's last words.
package main

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
)

var ways = map[string]func(){
	"nil map":   func() { prices(0)["lamp"]++ },
	"goroutine": func() { var wait sync.WaitGroup; wait.Go(func() { fmt.Println(items(3)) }); wait.Wait() },
	"two lines": func() { panic(errors.New("no price\nfor the lamp")) },
	"deadlock":  func() { <-make(chan int) },
}

func items(n int) int { return []int{1, 2}[n] }

func prices(n int) map[string]int {
	if n == 0 {
		return nil
	}
	return make(map[string]int, n)
}

func main() {
	slog.New(slog.NewJSONHandler(os.Stdout, nil)).Info("before", "service", "panics")
	ways[os.Args[1]]()
}
