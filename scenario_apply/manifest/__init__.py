"""From YAML text to a Manifest whose every value knows where it stands.

Owns the form of manifests: YAML, schema, templates, variables, matrices, references. Only loader/ opens files; the rest
is pure. Read build.py first: it tells the stages in their order.
"""
