"""Fetches pictures of which only the Git LFS pointer is on this machine.

Looks in `.git/lfs` first, then lets git-lfs download them in a folder of its own: no program runs in the checkout, or
by its configuration. Read `pull.py` first; docs/adr/0011-git-lfs-beside-the-checkout.md has the reasons.
"""
