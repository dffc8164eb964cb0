// Command goroutines starts goroutines, or threads, that wait, and prints as JSON what each of them costs.
package main

import (
	"encoding/json"
	"flag"
	"log"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"time"
)

// Cost of one.  Bytes but for Nanoseconds, which run from the first start until all of them have begun.
type Cost struct {
	Nanoseconds float64 `json:"ns"`
	Resident    float64 `json:"resident"`
	Kernel      float64 `json:"kernel"`  // stacks in the kernel and page tables, where they can be seen
	Virtual     float64 `json:"virtual"` // reserved addresses, where they can be seen
}

func main() {
	count := flag.Int("count", 1000, "how many to start")
	threads := flag.Bool("threads", false, "bind each goroutine to a thread of its own")
	flag.Parse()
	if err := json.NewEncoder(os.Stdout).Encode(measure(*count, *threads)); err != nil {
		log.Fatal(err)
	}
}

func measure(count int, threads bool) Cost {
	debug.SetGCPercent(-1) // a collection in between would free what belongs to the time before
	debug.FreeOSMemory()
	before, began := usage(), time.Now()
	end := start(count, threads)
	took, after := time.Since(began), usage()
	end()
	each := func(now, then int64) float64 { return float64(now-then) / float64(count) }
	return Cost{
		Nanoseconds: float64(took.Nanoseconds()) / float64(count),
		Resident:    each(after.resident, before.resident),
		Kernel:      each(after.kernel, before.kernel),
		Virtual:     each(after.virtual, before.virtual),
	}
}

// start returns when all of them wait; the function that it returns lets them go.
func start(count int, threads bool) (end func()) {
	release := make(chan struct{})
	var begun sync.WaitGroup
	begun.Add(count)
	for range count {
		go func() {
			if threads {
				runtime.LockOSThread()
			}
			begun.Done()
			<-release
		}()
	}
	begun.Wait()
	return func() { close(release) }
}
