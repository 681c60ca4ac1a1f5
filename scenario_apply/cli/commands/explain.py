"""explain: a paragraph on a lint rule or the code of a diagnostic."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

    from scenario_apply.cli.invocation import Invocation

EXAMPLES = """
  scenario-apply explain D03
  scenario-apply explain unknown-reference
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("code", metavar="CODE", help="a code such as D03 or plan-stale, or a rule's name")


def run(call: Invocation) -> int:
    """The paragraph, from the same texts as the reference pages. Raises UsageError for an unknown code."""
    from scenario_apply.errors import UsageError
    from scenario_apply.model.did_you_mean import did_you_mean
    from scenario_apply.review.explanations import explanation, known_codes

    code = call.arguments.code
    text = explanation(code, call.out)
    if text is None:
        hint = did_you_mean(code, known_codes()) or "codes are printed in brackets, as in error[unknown-key]"
        raise UsageError(f"there is no code {code!r}", hint=hint)
    call.show(text)
    return 0
