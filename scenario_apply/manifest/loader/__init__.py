"""Opens the files of a manifest: the manifest itself, what it includes, variable files, and folders of data.

Everything that is opened as data goes through data_guard.py: regular files below the root, nothing hidden. Read load.py
first.
"""
