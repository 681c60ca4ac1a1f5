"""Pages of HTML: one file each, with everything in it, that asks for nothing from anywhere.

Turns views, which are values, into text; reads no file but its own templates. Read page.py first: a page is a title and
a list of sections, each a view with the template that draws it.
"""
