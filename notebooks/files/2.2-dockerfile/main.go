// Command greet answers each request with a greeting, a number of its own, and the user that it runs as.
package main

import (
	"fmt"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/google/uuid"
)

const greeting = "hello"

func main() {
	server := http.Server{Addr: ":8080", Handler: http.HandlerFunc(greet), ReadHeaderTimeout: 5 * time.Second}
	log.Println("listening on", server.Addr)
	log.Fatal(server.ListenAndServe())
}

func greet(w http.ResponseWriter, _ *http.Request) {
	fmt.Fprintf(w, "%s from user %d, request %s\n", greeting, os.Getuid(), uuid.NewString())
}
