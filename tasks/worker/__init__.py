"""Celery plumbing: start, pool, watchdog and shutdown of a worker. A first reader can skip it."""
