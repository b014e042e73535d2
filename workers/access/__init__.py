"""Tenants and keys that are made at run time: their records, their store, and the book of them that a process keeps."""
