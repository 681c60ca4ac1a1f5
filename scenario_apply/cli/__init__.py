"""The command line: parser, settings, wiring, progress views and one file per command.

A command parses, calls, shows and returns a code. Read main.py, then commands/apply.py.
"""
