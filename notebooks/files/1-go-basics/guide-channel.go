// The guide's second listing, as a program: one goroutine sends a message, and main receives it.
package main

import "fmt"

func main() {
	messages := make(chan string)
	go func() {
		messages <- "a message from a goroutine"
	}()
	fmt.Println(<-messages)
}
