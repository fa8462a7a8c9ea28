"""One script for every figure the README or the docs quote: `python -m benchmarks.NAME`."""
