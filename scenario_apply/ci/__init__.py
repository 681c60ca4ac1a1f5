"""What a pipeline needs beside plan and apply: a comment kept current on a pull request, an issue, the reviewed plan.

It talks to GitHub and GitLab and to no Scenario; what it posts was rendered by review/. Read pipeline.py first.
"""
