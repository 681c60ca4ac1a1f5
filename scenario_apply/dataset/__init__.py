"""Pictures and captions as they will be sent, and the lint rules on them.

Pure but for scan/, which lists folders, reads files and keeps the fingerprint cache. Read assemble.py first.
"""
