"""Scanning dataset folders: sources, pictures, captions, the fingerprint cache."""
