// Package shop knows what things cost.
package shop

import "fmt"

// Price returns what an item costs, and whether there is such an item.
func Price(item string) (int, bool) {
	price, ok := map[string]int{"tea": 3, "coffee": 5}[item]
	return price, ok
}

// Label returns the text for an item's shelf.
func Label(item string) string {
	price, ok := Price(item)
	if !ok {
		return fmt.Sprintf("%s is not for sale", item)
	}
	return fmt.Sprintf("%s: %s", item, price)
}
