"""Where a state is kept: the file, its journal, its lock, its backups, and the rescue copy.

Touches the disk; every file of our own is opened by own_files.py, which follows no link. Read file_store.py first.
"""
