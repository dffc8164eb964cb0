// The guide's first listing, as a program: it opens a file, and closes it by a deferred call.
package main

import (
	"bufio"
	"fmt"
	"log"
	"os"
)

func main() {
	readFile()
}

func readFile() {
	file, err := os.Open("data.txt")
	if err != nil {
		log.Fatal(err)
	}
	defer file.Close()

	lines := 0
	for scanner := bufio.NewScanner(file); scanner.Scan(); {
		lines++
	}
	fmt.Println("data.txt has", lines, "lines")
}
