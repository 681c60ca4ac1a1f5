"""YAML text -> Map with the position of every key and value, from the parser's events in one pass.

libyaml scans if it is installed, else PyYAML's own parser. Everything that can go wrong is reported with its position:
syntax, duplicate keys, unknown tags, alias bombs, several documents, a top level that is not a map.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from scenario_apply.manifest.positions import Map, Node, kind_of
from scenario_apply.manifest.report import Report
from scenario_apply.manifest.yaml.builder import Builder, ReadingStopped
from scenario_apply.manifest.yaml.plain_text import places_of_lost_text
from scenario_apply.manifest.yaml.source_bytes import decoded
from scenario_apply.manifest.yaml.syntax_errors import end_of_scanned, report_yaml_error

if TYPE_CHECKING:
    from yaml.events import Event


class _Stream:
    """Bytes with a name, as the parser wants them; the name comes back in every mark."""

    def __init__(self, name: str, data: bytes) -> None:
        self.name = name
        self._data = data
        self._at = 0

    def read(self, size: int = -1, /) -> bytes:
        start, self._at = self._at, self._at + size
        return self._data[start : self._at]


def read_yaml(name: str, data: bytes, report: Report, *, what: str = "manifest") -> Map | None:
    """The top-level map of the file; None after an error, which is reported.

    name: of the file, as the user would write it. what: what the file is, for the messages.
    """
    text = decoded(name, data, report)
    if text is None:
        return None
    import yaml

    try:
        node = _document(name, text, report)
    except yaml.YAMLError as error:
        report_yaml_error(error, name, report)
        return None
    except ReadingStopped:
        return None
    if isinstance(node, Map):
        return node
    place = report.place_at(name, 0, 0)
    if node is None:
        is_list_of_values = what not in ("manifest", "fleet file")
        hint = "write `name: value` lines, or leave it out" if is_list_of_values else "begin it with `version: 1`"
        if what == "manifest" and name.endswith(".json"):
            hint += "; or create it again, if it was a saved plan"
        report.error("empty", f"the {what} is empty", place, hint)
    else:
        report.error("not-a-map", f"the {what} must be a map of keys, not {kind_of(node)}", place)
    return None


def _document(name: str, text: str, report: Report) -> Node:
    """Raises ReadingStopped, after a report, or yaml.YAMLError."""
    import yaml

    try:
        return Builder(_events(name, text.encode()), name, report, places_of_lost_text(text)).document()
    except yaml.YAMLError as error:
        end = end_of_scanned(error)
        if end is None:
            raise
        Builder(_events(name, text[:end].encode()), name, report).document()  # reports where it is too deep
        raise


def _events(name: str, data: bytes) -> Callable[[], Event]:
    import yaml

    try:
        from yaml._yaml import CParser
    except ImportError:  # PyYAML was built without libyaml

        class Parser(yaml.reader.Reader, yaml.scanner.Scanner, yaml.parser.Parser):
            def __init__(self, stream: Any) -> None:
                yaml.reader.Reader.__init__(self, stream)
                yaml.scanner.Scanner.__init__(self)
                yaml.parser.Parser.__init__(self)

        return cast("Callable[[], Event]", Parser(_Stream(name, data)).get_event)
    return cast("Callable[[], Event]", CParser(_Stream(name, data)).get_event)
