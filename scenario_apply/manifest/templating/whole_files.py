"""*.yaml.j2: whole files that are templates, rendered before they are read as YAML, for loops over models."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from scenario_apply.errors import Location
from scenario_apply.manifest.positions import Map, SourceMark
from scenario_apply.manifest.report import Report
from scenario_apply.manifest.templating.allowed_environment import AllowedEnvironment
from scenario_apply.manifest.templating.template_text import TemplateError
from scenario_apply.manifest.templating.templates import Templates
from scenario_apply.manifest.variable_values import Variables
from scenario_apply.manifest.variables import VariableInputs, resolved
from scenario_apply.manifest.yaml.reader import read_yaml

if TYPE_CHECKING:
    from scenario_apply.manifest.templating.sandbox import Sandbox

_MOST_VARIABLES = 100_000
_VARIABLES = re.compile(rb"^variables:.*\n(?:[ \t#].*\n|\r?\n)*", re.MULTILINE)


class WholeFiles:
    """Renders the *.yaml.j2 of one manifest, with one budget for all of them.

    A file may use `env`, and the variables of the files read before it and of its own `variables:` block, which must
    therefore be plain YAML.
    """

    def __init__(self, given: VariableInputs, environment: AllowedEnvironment, report: Report) -> None:
        self._given = given
        self._environment = environment
        self._report = report
        self._sandbox: Sandbox | None = None
        self._for_values: Sandbox | None = None
        self._variables = 0

    def rendered(self, name: str, data: bytes, before: Sequence[Map]) -> bytes | None:
        """The YAML that the template gives; None after an error, which is reported."""
        text = data.decode(errors="replace").removeprefix("\ufeff")
        self._report.add_source(name, text)
        if "\ufffd" in text or "\0" in text:
            return data  # read_yaml reports what is wrong
        if self._sandbox is None:
            from scenario_apply.manifest.templating.sandbox import Sandbox

            self._sandbox = Sandbox(self._environment)
            self._for_values = Sandbox(self._environment)
        try:
            known = self._known(name, data, before)
            return self._sandbox.file(text, known.values, known.secret).encode()
        except TemplateError as error:
            self._report.error(error.code, error.message, self._place(name, text, error), error.hint)
            return None

    def _place(self, name: str, text: str, error: TemplateError) -> Location:
        start = self._report.place_at(name, (error.line or 1) - 1, 0)
        if error.variable is None:
            return start
        mark = SourceMark(name, (error.line or 1) - 1, 0)
        return self._report.place_of_variable(error.variable, text, mark) or start

    def _known(self, name: str, data: bytes, before: Sequence[Map]) -> Variables:
        """The variables known so far; errors in them are reported when the manifest is built. Raises TemplateError."""
        discarded = Report(most=None)
        whole = Map(before[0].start) if before else None
        blocks = [document["variables"] for document in before if isinstance(document.get("variables"), Map)]
        own = _VARIABLES.search(data)
        if own is not None and b"{%" not in own.group():
            document = read_yaml(name, own.group(), discarded)
            if document is not None and isinstance(document.get("variables"), Map):
                blocks.append(document["variables"])
                whole = whole or Map(document.start)
        if whole is None:
            return Variables()
        joined = Map(whole.start)
        for block in blocks:
            assert isinstance(block, Map)
            self._count(len(block))
            for key, value in block.items():
                joined.put(key, value, block.marks[key])
        whole.put("variables", joined, (whole.start, whole.start))
        return resolved(whole, self._given, Templates(self._environment, discarded, self._for_values), discarded)

    def _count(self, variables: int) -> None:
        self._variables += variables
        if self._variables > _MOST_VARIABLES:
            what = f"the *.yaml.j2 files read more than {_MOST_VARIABLES} variables in total"
            raise TemplateError("template-too-large", what, "use fewer such files, or fewer variables")
