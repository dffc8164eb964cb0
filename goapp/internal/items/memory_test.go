package items

import (
	"strings"
	"sync"
	"testing"

	"kit.local/goapp/internal/problem"
)

// Concurrent additions each get a number of their own, 1 to n without a gap.
func TestAddNumbersOnce(t *testing.T) {
	const n = 100
	store := NewMemory(n)
	var writers sync.WaitGroup
	for range n {
		writers.Go(func() {
			if _, err := store.Add(Draft{Name: "x"}); err != nil {
				t.Error(err)
			}
		})
	}
	writers.Wait()

	for i, item := range store.List() {
		if item.ID != i+1 {
			t.Fatalf("item %d has id %d", i, item.ID)
		}
	}
	if got := len(store.List()); got != n {
		t.Errorf("%d items, want %d", got, n)
	}
}

// The store refuses the item after its last place, and keeps what it has.
func TestAddWhenFull(t *testing.T) {
	store := NewMemory(1)
	if _, err := store.Add(Draft{Name: "first"}); err != nil {
		t.Fatal(err)
	}

	_, err := store.Add(Draft{Name: "second"})

	if err == nil || problem.From(err).Code != problem.Full || len(store.List()) != 1 {
		t.Errorf("err = %v with %d items, want full with 1", err, len(store.List()))
	}
}

// Changing a returned list leaves the store as it was.
func TestListIsACopy(t *testing.T) {
	store := NewMemory(1)
	if _, err := store.Add(Draft{Name: "kept"}); err != nil {
		t.Fatal(err)
	}
	store.List()[0].Name = "changed"

	if got := store.List()[0].Name; got != "kept" {
		t.Errorf("name = %q, want kept", got)
	}
}

// A name of exactly 100 characters passes; every broken rule of a bad draft is named.
func TestValidate(t *testing.T) {
	if err := (Draft{Name: strings.Repeat("é", 100)}).Validate(); err != nil {
		t.Error(err)
	}

	err := Draft{Name: " ", PriceCents: -1}.Validate()

	if err == nil || !strings.Contains(err.Error(), "name") || !strings.Contains(err.Error(), "price_cents") {
		t.Errorf("err = %v, want both fields named", err)
	}
}
