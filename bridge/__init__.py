"""Sends Celery messages for the due jobs in Postgres. A message is a task name and a job id.

The bridge has no code for AI providers or for Storage.
"""
