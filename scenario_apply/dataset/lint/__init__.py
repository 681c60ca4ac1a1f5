"""The lint rules, one file per letter of their codes.

C captions, N counts, D duplicates, F and R files, P pairs, T triggers. Pure.
The rules as data are in model/lint_rules.py. Read lint.py first.
"""
