"""The HTTP API: one router a noun, typed dependencies in deps.py, every error a problem (RFC 9457) in Chinese."""
