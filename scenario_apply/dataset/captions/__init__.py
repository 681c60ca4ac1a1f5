"""Finds the caption of each picture, in every supported convention, and composes the text that is sent.

Pure: files are read through a function that is passed in. Read gather.py, then matching.py and compose.py.
"""
