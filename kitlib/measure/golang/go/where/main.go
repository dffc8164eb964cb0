// Command where prints the file that it was started from, and ends with a code of its own.
package main

import "os"

func main() {
	path, err := os.Executable()
	if err != nil {
		panic(err)
	}
	os.Stdout.WriteString(path + "\n")
	os.Exit(3)
}
