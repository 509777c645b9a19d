"""What is fast, against what, reproducibly: `python -m benchmarks`."""
