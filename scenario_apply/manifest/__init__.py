"""From YAML text to a Manifest in which every value has its position.

Owns the format of manifests: YAML, schema, templates, variables, matrices, references. Only loader/ opens files;
the rest is pure. Read build.py first: it lists the stages in order.
"""
