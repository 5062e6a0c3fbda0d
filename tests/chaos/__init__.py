"""Break the real processes on purpose and check that every promise still holds.

Knows only their command lines.
"""
