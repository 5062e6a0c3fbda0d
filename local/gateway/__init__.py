"""The part of Supabase's HTTP and websocket surface that our clients use. For development and
tests, on loopback.
"""
