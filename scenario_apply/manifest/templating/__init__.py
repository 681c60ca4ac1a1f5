"""Jinja2 in manifests and captions: a sandbox with a budget, and the values that templates may read.

Pure. Secrets never enter a template: they are passed on unchanged. Read sandbox.py first.
"""
