"""Fuzzing of everything that parses what a camera or a disk says. See `tests.benchmarks.fuzz` for the long run."""
