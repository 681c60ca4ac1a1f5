"""Which caption belongs to which picture, from every convention that is read, and the text that is sent.

Pure: text comes in through a reader. Read gather.py, then matching.py and compose.py.
"""
