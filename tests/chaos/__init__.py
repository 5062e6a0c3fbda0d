"""Break the real processes on purpose and check that every promise still holds.

It depends on their command lines alone.
"""
