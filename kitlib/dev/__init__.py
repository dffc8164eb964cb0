"""For those who work on the kit: the stages of `./kit test`, the cold run, and the benchmarks."""
