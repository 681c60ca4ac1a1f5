"""Scans datasets on disk: lists folders, reads and decodes pictures, reads captions, caches results.

The only part of this subject that touches files; its work grows with what changed. Read scanner.py first.
"""
