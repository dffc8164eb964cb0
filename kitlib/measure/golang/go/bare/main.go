// Command bare imports nothing: what it takes to build is Go's own runtime.
package main

func main() { println("up") }
