"""Celery plumbing: how a worker starts, takes messages, is watched and leaves. A first reader can skip it."""
