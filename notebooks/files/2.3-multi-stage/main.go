// Command hello says for which platform it was built, as which user it runs, and which address localhost has.
package main

import (
	"fmt"
	"log"
	"net"
	"os"
	"runtime"
)

func main() {
	addresses, err := net.LookupHost("localhost")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("hello from %s/%s, user %d, localhost is %v\n", runtime.GOOS, runtime.GOARCH, os.Getuid(), addresses)
}
