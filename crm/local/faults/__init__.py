"""Faults made on purpose, and the judge that reads only the carrier's own journal (reliability: F1)."""
