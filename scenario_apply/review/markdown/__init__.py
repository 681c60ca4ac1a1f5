"""Markdown for comments on pull requests: bounded in length, and safe with whatever text it holds.

Turns views, which are values, into text. Read plan_markdown.py first; inline.py has the one way in which texts of other
people get in, fitting.py the one in which a length is kept.
"""
