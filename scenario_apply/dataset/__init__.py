"""Datasets: pictures and captions as they will be sent, and the lint rules that check them.

Pure except for scan/, which lists folders, reads files and keeps the fingerprint cache. Read assemble.py first.
"""
