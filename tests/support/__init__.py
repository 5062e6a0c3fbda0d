"""Machinery that the tests of several parts share: processes and servers, relays, waiting, actors
and jobs.
"""
