package hot

import "testing"

func TestSum(t *testing.T) {
	if got := Sum(11); got != 23 {
		t.Errorf("the halved digits of 0 to 10 add up to %d, want 23", got)
	}
}

func BenchmarkSum(b *testing.B) {
	for b.Loop() {
		Sum(10_000)
	}
}
