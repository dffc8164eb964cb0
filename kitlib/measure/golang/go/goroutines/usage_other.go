//go:build !linux

package main

import (
	"log"
	"syscall"
)

// memory in bytes; the peak stands for what is resident, and the rest is not to be seen here.
type memory struct{ resident, kernel, virtual int64 }

func usage() memory {
	var found syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &found); err != nil {
		log.Fatal(err)
	}
	return memory{resident: int64(found.Maxrss)}
}
