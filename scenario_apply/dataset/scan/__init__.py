"""Datasets from disk: folders listed, pictures read and decoded, captions read, results cached.

The one part of this subject that touches files. Work grows with what changed. Read scanner.py first.
"""
