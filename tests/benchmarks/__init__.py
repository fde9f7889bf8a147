"""Benchmarks: figures of this machine, each compared with a reference in the same run. Not tests."""
