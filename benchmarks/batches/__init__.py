"""Batches: their rate beside bare Celery and a plain script, what interactive calls feel of one, and small tenants."""
