"""Celery's side: the one task, the providers it calls, the storage it fills."""

from tasks.celery import app

__all__ = ["app"]
