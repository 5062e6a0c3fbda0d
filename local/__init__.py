"""The embedded stack: what Supabase does in production, on one machine without Docker. Never for production."""
