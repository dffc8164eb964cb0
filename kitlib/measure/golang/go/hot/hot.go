// Package hot has one function that is cheap and one that is not: a profile is to tell them apart.
package hot

// Sum of the digits of all numbers below limit.
func Sum(limit int) int {
	total := 0
	for n := range limit {
		total += digits(n)
	}
	return halve(total)
}

//go:noinline
func digits(n int) int {
	sum := 0
	for ; n > 0; n /= 10 {
		sum += n % 10
	}
	return sum
}

//go:noinline
func halve(n int) int { return n / 2 }
