"""The part of Supabase's HTTP and websocket surface that our clients use.

It is for development and tests, on loopback only.
"""
