// Package items is the domain: what the catalogue sells, and the store that holds it.
package items

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"kit.local/goapp/internal/problem"
)

const maxName = 100 // characters

// Item is one thing in the catalogue.
type Item struct {
	ID         int    `json:"id"`
	Name       string `json:"name"`
	PriceCents int    `json:"price_cents"`
}

// Draft is an item that the store has not numbered yet.
type Draft struct {
	Name       string `json:"name"`
	PriceCents int    `json:"price_cents"`
}

// Validate reports every broken rule at once, so that a client mends a request in one go.
func (d Draft) Validate() error {
	var broken []string
	if strings.TrimSpace(d.Name) == "" {
		broken = append(broken, "name must not be empty")
	}
	if utf8.RuneCountInString(d.Name) > maxName {
		broken = append(broken, fmt.Sprintf("name must have at most %d characters", maxName))
	}
	if d.PriceCents < 0 {
		broken = append(broken, "price_cents must not be negative")
	}
	if len(broken) == 0 {
		return nil
	}
	return problem.New(problem.Invalid, "%s", strings.Join(broken, "; "))
}
