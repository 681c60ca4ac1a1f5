"""Builds Map and Seq from the parser's events, with the mark of every key and value, in one pass with all limits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from scenario_apply.manifest.positions import Map, Mark, Node, Seq, kind_of
from scenario_apply.manifest.report import Report
from scenario_apply.manifest.yaml.invisible import OddCharacter, odd_in_key, odd_in_value
from scenario_apply.manifest.yaml.plain_text import is_curly_quoted
from scenario_apply.manifest.yaml.scalars import NotANumber, plain_scalar

if TYPE_CHECKING:
    from yaml.events import Event

_DEEPEST = 60
_MOST_ALIASED_NODES = 500_000
MOST_VALUES = 1_000_000
"""Values of all YAML files of a manifest. One takes up to 400 bytes of memory, but only two of the file."""
_CORE = "tag:yaml.org,2002:"


_TAGS: dict[str, tuple[type, ...]] = {
    f"{_CORE}int": (int,),
    f"{_CORE}float": (int, float),
    f"{_CORE}bool": (bool,),
    f"{_CORE}null": (type(None),),
}


class ReadingStopped(Exception):
    """The file cannot be read any further; the reason is in the report."""


class Builder:
    """Events -> nodes, for one file. lost: of plain_text.places_of_lost_text, to note texts that YAML cuts."""

    def __init__(
        self, next_event: Callable[[], Event], name: str, report: Report, lost: Mapping[int, str] | None = None
    ) -> None:
        import yaml

        self._next = next_event
        self._name = name
        self._report = report
        self._lost = lost
        self._scalar, self._mapping, self._sequence = yaml.ScalarEvent, yaml.MappingStartEvent, yaml.SequenceStartEvent
        self._alias, self._mapping_end, self._sequence_end = (
            yaml.AliasEvent,
            yaml.MappingEndEvent,
            yaml.SequenceEndEvent,
        )
        self._stream_end = yaml.StreamEndEvent
        self._values: dict[str, bool | int | float | str | None] = {}
        self._anchors: dict[str, tuple[Node, int]] = {}
        self._open: set[str] = set()
        self._nodes = 0
        self._aliased = 0

    def document(self) -> Node:
        self._next()  # the stream begins
        event = self._next()
        if event.__class__ is self._stream_end:
            return None
        root = self._node(self._next(), 0)
        self._next()  # the document ends
        event = self._next()
        if event.__class__ is not self._stream_end:
            self._report.error(
                "several-documents",
                "a second YAML document begins here; a manifest has one document in each file",
                event.start_mark,
                "remove the `---`, or make it a second file of the folder",
            )
            raise ReadingStopped
        return root

    def _node(self, event: Any, depth: int) -> Node:
        kind = event.__class__
        if kind is self._alias:
            return self._aliased_node(event)
        self._nodes += 1
        self._report.values_read += 1
        if self._report.values_read > MOST_VALUES:
            self._too_many_values(event)
        anchor = event.anchor
        if anchor is None:
            return self._fresh(kind, event, depth)
        before = self._nodes + self._aliased
        self._open.add(anchor)
        node = self._fresh(kind, event, depth)
        self._open.discard(anchor)
        self._anchors[anchor] = (node, self._nodes + self._aliased - before + 1)
        return node

    def _too_many_values(self, event: Any) -> None:
        """Raises ManifestError: no other file is read either."""
        what = f"the files of this manifest have more than {MOST_VALUES:,} values together"
        self._report.error("too-large", what, event.start_mark, "split it into several manifests")
        self._report.is_incomplete = True
        self._report.raise_errors()

    def _fresh(self, kind: type, event: Any, depth: int) -> Node:
        if kind is self._scalar:
            return self._scalar_value(event)
        if depth > _DEEPEST:
            self._report.error("too-deep", f"nested more than {_DEEPEST} levels deep", event.start_mark)
            raise ReadingStopped
        if kind is self._mapping:
            return self._map(event, depth + 1)
        return self._seq(event, depth + 1)

    def _aliased_node(self, event: Any) -> Node:
        name = event.anchor
        if name in self._open:
            self._report.error("alias-loop", f"*{name} is used inside &{name}: it would never end", event.start_mark)
            raise ReadingStopped
        found = self._anchors.get(name)
        if found is None:
            from scenario_apply.model.did_you_mean import did_you_mean

            hint = did_you_mean(name, self._anchors) or "put the text in quotes if it is not an alias"
            self._report.error("unknown-anchor", f"*{name} has no anchor &{name} above it", event.start_mark, hint)
            return None
        node, size = found
        self._aliased += size
        if self._aliased > _MOST_ALIASED_NODES:
            self._report.error(
                "alias-bomb",
                f"aliases repeat more than {_MOST_ALIASED_NODES} values",
                event.start_mark,
                "use fewer aliases of aliases",
            )
            raise ReadingStopped
        return node

    def _scalar_value(self, event: Any) -> Node:
        text: str = event.value
        if event.tag is not None:
            return self._tagged(event, text)
        if not event.implicit[0]:
            return text
        if self._lost and event.end_mark.index in self._lost:
            self._report.note_cut(event.start_mark, self._lost[event.end_mark.index])
        if not text.isascii():
            self._report_odd(odd_in_value(text), event.start_mark)
        try:
            return self._values[text]
        except KeyError:
            pass
        try:
            value = self._values[text] = plain_scalar(text)
        except NotANumber as error:
            self._report.error("not-a-number", str(error), event.start_mark, "write a finite number")
            return None
        if isinstance(value, str) and is_curly_quoted(value):
            what = "these are not YAML quotes: they would become part of the text"
            self._report.error("curly-quotes", what, event.start_mark, "write \"...\" or '...'")
            del self._values[text]  # so that each is reported
        return value

    def _tagged(self, event: Any, text: str) -> Node:
        tag = event.tag
        if tag in ("!", f"{_CORE}str"):
            return text
        wanted = _TAGS.get(tag)
        if wanted:
            try:
                value = plain_scalar(text)
            except NotANumber:
                value = text
            if isinstance(value, wanted):
                return float(value) if tag.endswith("float") and isinstance(value, int) else value
        self._refuse_tag(event)
        return None

    def _refuse_tag(self, event: Any) -> None:
        shown = event.tag.replace(_CORE, "!!")
        self._report.error(
            "yaml-tag",
            f"the tag {shown} is not supported in a manifest",
            event.start_mark,
            "remove it, or put the text in quotes; values from outside are written {{ env.NAME }}",
        )

    def _seq(self, event: Any, depth: int) -> Seq:
        if event.tag not in (None, "!", f"{_CORE}seq"):
            self._refuse_tag(event)
        items = Seq(event.start_mark)
        append, mark = items.append, items.marks.append
        following, end, node = self._next, self._sequence_end, self._node
        event = following()
        while event.__class__ is not end:
            append(node(event, depth))
            mark(event.start_mark)
            event = following()
        return items

    def _map(self, event: Any, depth: int) -> Map:
        if event.tag not in (None, "!", f"{_CORE}map"):
            self._refuse_tag(event)
        found = Map(event.start_mark)
        marks = found.marks
        following, end, node, scalar = self._next, self._mapping_end, self._node, self._scalar
        merges: list[tuple[Node, Mark]] = []
        key_event: Any = following()
        while key_event.__class__ is not end:
            key: str | None
            if key_event.__class__ is scalar and key_event.anchor is None:
                key = key_event.value
                if not key.isascii() and key_event.implicit[0]:
                    self._report_odd(odd_in_key(key), key_event.start_mark)
            else:
                key = self._odd_key(key_event, found.start, depth)
            value_event: Any = following()
            value = node(value_event, depth)
            if key is None:
                pass
            elif key == "<<" and key_event.implicit[0]:
                merges.append((value, value_event.start_mark))
            elif key in found:
                self._twice(key, key_event.start_mark, marks[key][0])
            else:
                found[key] = value
                marks[key] = (key_event.start_mark, value_event.start_mark)
            key_event = following()
        for merged, mark in merges:
            self._merge(found, merged, mark)
        return found

    def _report_odd(self, odd: OddCharacter | None, mark: Mark | None) -> None:
        """Reports an invisible character of the plain text that begins at mark."""
        if odd is not None and mark is not None:
            place = self._report.place_at(mark.name, mark.line, mark.column + odd.at)
            self._report.error("odd-character", odd.what, place, odd.hint)
            self._report.mark_wrong(mark)

    def _odd_key(self, event: Any, start: Mark, depth: int) -> str | None:
        """A key that is an alias, has an anchor, or is not a scalar: only text can be a key."""
        value = self._node(event, depth)
        if isinstance(value, str):
            return value
        line = self._report.place(start).text or ""
        if line[start.column :].startswith("{{"):
            hint = 'put the template in quotes: "{{ ... }}"'
            self._report.error("unquoted-template", "YAML reads a template without quotes as a map", start, hint)
        else:
            hint = "keys are plain text; put a text that begins with { or [ in quotes"
            self._report.error("odd-key", f"{kind_of(value)} cannot be a key", event.start_mark, hint)
        return None

    def _twice(self, key: str, second: Mark, first: Mark) -> None:
        self._report.error(
            "duplicate-key",
            f"{key!r} is set twice; the first is at {self._report.place(first)}",
            second,
            "keep one of them",
        )

    def _merge(self, into: Map, merged: Node, mark: Mark) -> None:
        sources = list(merged) if isinstance(merged, Seq) else [merged]
        for source in sources:
            if not isinstance(source, Map):
                self._report.error("yaml-merge", f"<< needs a map or a list of maps, not {kind_of(source)}", mark)
                return
            for key, value in source.items():
                if key not in into:
                    into.put(key, value, source.marks[key])
