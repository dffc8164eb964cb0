package items

import (
	"slices"
	"sync"

	"kit.local/goapp/internal/problem"
)

// Starter is what a fresh catalogue offers, so that the first GET has something to show.
var Starter = []Draft{
	{Name: "Gopher, plush", PriceCents: 1900},
	{Name: "Whale, enamel pin", PriceCents: 450},
	{Name: "Helm, brass", PriceCents: 12900},
}

// Memory is a store that lives and dies with the process. It is safe for concurrent use.
type Memory struct {
	mu       sync.RWMutex
	items    []Item // items[i].ID is i+1: nothing is ever removed
	capacity int
}

// NewMemory makes a store for at most capacity items: a load test must not look like a memory leak.
func NewMemory(capacity int) *Memory {
	return &Memory{capacity: capacity}
}

// List returns a copy of all items, oldest first.
func (m *Memory) List() []Item {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return slices.Clone(m.items)
}

// Get returns one item, or a not_found problem.
func (m *Memory) Get(id int) (Item, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if id < 1 || id > len(m.items) {
		return Item{}, problem.New(problem.NotFound, "no item %d", id)
	}
	return m.items[id-1], nil
}

// Add validates, numbers and keeps a draft; a store at its capacity answers with a full problem.
func (m *Memory) Add(d Draft) (Item, error) {
	if err := d.Validate(); err != nil {
		return Item{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.items) >= m.capacity {
		return Item{}, problem.New(problem.Full, "the catalogue holds its maximum of %d items", m.capacity)
	}
	item := Item{ID: len(m.items) + 1, Name: d.Name, PriceCents: d.PriceCents}
	m.items = append(m.items, item)
	return item, nil
}
