// A program as it was written before Go 1.21: it sorts names, and prints each of them from a goroutine.
package main

import (
	"fmt"
	"sort"
	"sync"
)

func main() {
	names := []string{"tea", "cocoa", "coffee"}
	sort.Slice(names, func(i, j int) bool { return names[i] < names[j] })
	var group sync.WaitGroup
	for i := 0; i < len(names); i++ {
		i := i
		group.Add(1)
		go func() {
			defer group.Done()
			fmt.Println(i, names[i])
		}()
	}
	group.Wait()
	var first interface{} = names[0]
	fmt.Println("the first is", first)
}
