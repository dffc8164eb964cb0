package main

import (
	"bufio"
	"fmt"
	"log"
	"os"
	"strings"
)

// memory in bytes.  kernel is the whole machine's for stacks, since nothing smaller is counted, and this process' for page tables.
type memory struct{ resident, kernel, virtual int64 }

func usage() memory {
	own := kilobytes("/proc/self/status")
	machine := kilobytes("/proc/meminfo")
	return memory{
		resident: own["VmRSS"] * 1024,
		kernel:   (own["VmPTE"] + machine["KernelStack"]) * 1024,
		virtual:  own["VmSize"] * 1024,
	}
}

// kilobytes reads lines like "VmRSS:   1234 kB".
func kilobytes(path string) map[string]int64 {
	file, err := os.Open(path)
	if err != nil {
		log.Fatal(err)
	}
	defer file.Close()
	found := map[string]int64{}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		name, rest, _ := strings.Cut(lines.Text(), ":")
		var value int64
		if _, err := fmt.Sscanf(rest, "%d kB", &value); err == nil {
			found[name] = value
		}
	}
	return found
}
