"""Extend Celery: start-up, message handling, monitoring and shutdown of a worker.

Skip this package on a first reading.
"""
