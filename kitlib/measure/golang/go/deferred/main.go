// Command deferred opens files in a function that defers their closing, leaves that function in one of several ways, and prints a
// line for each deferred call that ran.  If the process lives on, it also prints how many descriptors are still open.
package main

import (
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"runtime"
	"sync"
)

func main() {
	leave := flag.String("leave", "return", "return, error, panic, runtime.Goexit, os.Exit or log.Fatal")
	files := flag.Int("files", 50, "how many files to open")
	flag.Parse()
	work("return", 1) // the runtime opens descriptors of its own with the first file
	before := descriptors()
	fmt.Println("begin")
	call(*leave, *files)
	fmt.Println("leaked", descriptors()-before)
}

// call runs work in a goroutine of its own, for Goexit ends the one that it is called in, and survives a panic.
func call(leave string, files int) {
	var done sync.WaitGroup
	done.Go(func() {
		defer func() { recover() }()
		work(leave, files)
	})
	done.Wait()
}

// work opens its own program so many times.  All deferred calls run when it is left: that is what is to be seen.
func work(leave string, files int) error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	for range files {
		file, err := os.Open(program)
		if err != nil {
			return err
		}
		defer func() {
			file.Close()
			fmt.Println("closed")
		}()
	}
	switch leave {
	case "error":
		return errors.New("left with an error")
	case "panic":
		panic("left by a panic")
	case "runtime.Goexit":
		runtime.Goexit()
	case "os.Exit":
		os.Exit(1)
	case "log.Fatal":
		log.Fatal("left by log.Fatal")
	}
	return nil
}

// descriptors counts this process' open descriptors, and the one that it reads them through.
func descriptors() int {
	for _, folder := range []string{"/proc/self/fd", "/dev/fd"} {
		if entries, err := os.ReadDir(folder); err == nil {
			return len(entries)
		}
	}
	log.Fatal("neither /proc/self/fd nor /dev/fd can be read")
	return 0
}
