// Package seeded is full of mistakes.  The comment beside each names it: vet and the check that is made for it, or other.
package seeded

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"sync"
	"time"
)

type account struct {
	mutex   sync.Mutex
	Balance int `json:"balance` // vet: structtag
	history map[string]int
}

func verb(name string) { fmt.Printf("%d items\n", name) } // vet: printf

func copied(a account) int { return a.Balance } // vet: copylocks

func forgotten(parent context.Context) context.Context {
	ctx, _ := context.WithTimeout(parent, time.Second) // vet: lostcancel
	return ctx
}

func unreached() {
	return
	fmt.Println("never") // vet: unreachable
}

func kept(name string) string {
	name = name // vet: assign
	return name
}

func decoded(text []byte) (a account) {
	_ = json.Unmarshal(text, a.Balance) // vet: unmarshal
	return
}

func doubled(n int) bool { return n == 1 || n == 1 } // vet: bools

func unchecked(path string) { os.Remove(path) } // other: an error that nobody looks at

func unmade(a *account) { a.history["today"] = 1 } // other: a map that was never made

func beyond(items []int) int { return items[len(items)] } // other: an index beyond the end

func raced() (total int) {
	for range 100 {
		go func() { total++ }() // other: a data race
	}
	return total
}
