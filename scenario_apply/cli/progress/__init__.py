"""How a run looks while it lasts: bars on a terminal, lines elsewhere, JSON for programs.

Read run_progress.py first: it gathers the events that the views draw.
"""
