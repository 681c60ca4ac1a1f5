"""How fast requests may leave: the request budget of a project, learned from refusals.

No network: its owner tells it the time and what was refused. Read budget.py first.
"""
