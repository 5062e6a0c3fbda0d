"""The worker: the one Celery task, the AI providers that it calls, and Supabase Storage."""

from tasks.celery import app

__all__ = ["app"]
