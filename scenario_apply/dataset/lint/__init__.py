"""The lint rules, a file for each kind: captions, counts, duplicates, files, pairs, triggers.

Pure. The rules as data are in model/lint_rules.py. Read lint.py first.
"""
