"""The kinds of repairs that `validate --fix` makes in caption files."""

FIX_KINDS = ("encoding", "bom", "line-ends", "commas", "trigger")
KINDS_THAT_SEND_THE_SAME = FIX_KINDS[:-1]
"""Those after which the caption that is sent is what it was before."""
