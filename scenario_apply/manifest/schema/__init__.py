"""The manifest against schema/manifest.schema.json: a fast check, and an explanation of every violation.

Pure. Read check.py first.
"""
