"""Postgres -> Celery. Knows no AI and no storage; sends a task name and a job id."""
