"""Data to begin with: the lively demo of `make run`, and as many made-up members as a measurement needs."""
