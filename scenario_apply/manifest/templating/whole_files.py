"""*.yaml.j2: files that are a template as a whole, rendered before they are YAML, for loops over models."""

from __future__ import annotations

import re
from collections.abc import Sequence

from scenario_apply.errors import Location
from scenario_apply.manifest.positions import Map, SourceMark
from scenario_apply.manifest.report import Report
from scenario_apply.manifest.templating.allowed_environment import AllowedEnvironment
from scenario_apply.manifest.templating.templates import TemplateError, Templates
from scenario_apply.manifest.variables import Given, Variables, resolved
from scenario_apply.manifest.yaml.reader import read_yaml

_VARIABLES = re.compile(rb"^variables:.*\n(?:[ \t#].*\n|\r?\n)*", re.MULTILINE)


def render_whole_files(
    name: str,
    data: bytes,
    before: Sequence[Map],
    given: Given,
    environment: AllowedEnvironment,
    report: Report,
) -> bytes | None:
    """The YAML that the template gives; None after an error, which is reported.

    It may use `env`, and the variables of the files read before it and of its own `variables:` block, which must
    therefore be plain YAML.
    """
    from scenario_apply.manifest.templating.sandbox import Sandbox

    text = data.decode(errors="replace").removeprefix("\ufeff")
    report.add_source(name, text)
    if "\ufffd" in text or "\0" in text:
        return data  # read_yaml says what is wrong with it
    known = _known(name, data, before, given, environment)
    try:
        return Sandbox(environment).file(text, known.values, known.secret).encode()
    except TemplateError as error:
        report.error(error.code, error.message, _place(name, text, error, report), error.hint)
        return None


def _place(name: str, text: str, error: TemplateError, report: Report) -> Location:
    start = report.place_at(name, (error.line or 1) - 1, 0)
    if error.variable is None:
        return start
    mark = SourceMark(name, (error.line or 1) - 1, 0)
    return report.place_of_variable(error.variable, text, mark) or start


def _known(name: str, data: bytes, before: Sequence[Map], given: Given, environment: AllowedEnvironment) -> Variables:
    """What is known already; whatever is wrong with it is said when the manifest is built."""
    unheard = Report(most=None)
    whole = Map(before[0].start) if before else None
    blocks = [document["variables"] for document in before if isinstance(document.get("variables"), Map)]
    own = _VARIABLES.search(data)
    if own is not None and b"{%" not in own.group():
        document = read_yaml(name, own.group(), unheard)
        if document is not None and isinstance(document.get("variables"), Map):
            blocks.append(document["variables"])
            whole = whole or Map(document.start)
    if whole is None:
        return Variables()
    joined = Map(whole.start)
    for block in blocks:
        assert isinstance(block, Map)
        for key, value in block.items():
            joined.put(key, value, block.marks[key])
    whole.put("variables", joined, (whole.start, whole.start))
    return resolved(whole, given, Templates(environment, unheard), unheard)
