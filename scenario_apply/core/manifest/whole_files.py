"""*.yaml.j2: files that are a template as a whole, rendered before they are YAML, for loops over models."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from scenario_apply.core.manifest.positions import Map
from scenario_apply.core.manifest.report import Report
from scenario_apply.core.manifest.templates import TemplateError, Templates
from scenario_apply.core.manifest.variables import Given, resolved
from scenario_apply.core.manifest.yaml_reader import read_yaml

_VARIABLES = re.compile(rb"^variables:.*\n(?:[ \t#].*\n|\r?\n)*", re.MULTILINE)


def render_whole_files(
    name: str,
    data: bytes,
    before: Sequence[Map],
    given: Given,
    env: Mapping[str, str],
    report: Report,
    env_used: dict[str, str],
) -> bytes | None:
    """The YAML that the template gives; None after an error, which is reported.

    It may use `env`, and the variables of the files read before it and of its own `variables:` block, which must
    therefore be plain YAML.
    """
    from scenario_apply.core.manifest.sandbox import Sandbox

    text = data.decode(errors="replace").removeprefix("\ufeff")
    report.add_source(name, text)
    if "\ufffd" in text or "\0" in text:
        return data  # read_yaml says what is wrong with it
    values = _values(name, data, before, given, env)
    try:
        return Sandbox(env, env_used).file(text, values).encode()
    except TemplateError as error:
        report.error(error.code, error.what, report.place_at(name, (error.line or 1) - 1, 0), error.mend)
        return None


def _values(name: str, data: bytes, before: Sequence[Map], given: Given, env: Mapping[str, str]) -> dict[str, object]:
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
        return {}
    joined = Map(whole.start)
    for block in blocks:
        assert isinstance(block, Map)
        for key, value in block.items():
            joined.put(key, value, block.marks[key])
    whole.put("variables", joined, (whole.start, whole.start))
    found = resolved(whole, given, Templates(env, unheard), unheard)
    return {key: value for key, value in found.values.items() if key not in found.secret}
