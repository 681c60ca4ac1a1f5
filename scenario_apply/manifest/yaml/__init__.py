"""YAML text to values that know their line and column, with every limit on the way.

Pure. Scalars are those of YAML 1.2. Read reader.py first.
"""
