"""Go itself: goroutines, deferred calls, counters, tools."""
