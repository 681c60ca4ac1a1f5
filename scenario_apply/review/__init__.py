"""A plan, a status, a ledger as text and JSON: values in, text out.

Pure: knows no terminal and no clock. Read plan_text.py first; screen.py is what all text is drawn with.
"""
