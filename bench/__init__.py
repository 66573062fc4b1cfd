"""Benchmarks: one command each; what they share begins with an underscore."""
