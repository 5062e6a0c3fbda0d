"""Celery's side: the one task, the providers it asks, the storage it fills."""
