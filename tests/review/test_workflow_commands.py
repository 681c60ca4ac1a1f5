"""review/workflow_commands.py: annotations for GitHub Actions, escaped so that no text breaks out of its field."""

from __future__ import annotations

from scenario_apply.errors import Diagnostic, Location
from scenario_apply.review.workflow_commands import workflow_commands


def test_file_line_and_column_are_properties_and_the_hint_follows_on_a_line_of_its_own() -> None:
    place = Location(file="a/scenario.yaml", line=4, column=7)
    one = Diagnostic(code="D03", message="like 1.png", location=place, hint="keep one", severity="warning")
    two = Diagnostic(code="unknown-key", message="unknown key lr")
    three = Diagnostic(code="N03", message="30 images", location=Location(file="b.yaml"), severity="info")
    assert workflow_commands([one, two, three]).splitlines() == [
        "::warning file=a/scenario.yaml,line=4,col=7,title=D03 near-duplicate::like 1.png%0Ahint: keep one",
        "::error title=unknown-key::unknown key lr",
        "::notice file=b.yaml,title=N03 many-images::30 images",
    ]


def test_no_name_and_no_message_starts_another_command_or_property() -> None:
    place = Location(file="x,line=1::y%0A\n::set-output name=a::b.png")
    text = workflow_commands([Diagnostic(code="F01", message="100% bad\r\n::stop-commands::x", location=place)])
    assert len(text.splitlines()) == 1
    properties, _, message = text[2:].partition("::")
    assert properties.count(",") == 1
    assert "x%2Cline=1%3A%3Ay%250A" in properties
    assert message.startswith("100%25 bad")
