"""The embedded stack: Supabase's part of a production system, on one machine without Docker.

Never use it in production.
"""
