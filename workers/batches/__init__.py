"""Batches: many requests in a file, run in the gaps that interactive traffic leaves, each answered once."""
