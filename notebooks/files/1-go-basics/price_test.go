package shop

import "testing"

func TestLabel(t *testing.T) {
	for item, want := range map[string]string{
		"tea":   "tea: 3",
		"cocoa": "cocoa is not for sale",
	} {
		t.Run(item, func(t *testing.T) {
			if got := Label(item); got != want {
				t.Errorf("Label(%q) is %q, want %q", item, got, want)
			}
		})
	}
}
