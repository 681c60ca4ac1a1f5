"""Explains why a manifest does not fit its schema: one diagnostic for each mistake, with position, message and hint.

It walks the few keywords that the manifest's schema uses. Of an anyOf it follows the branch that fits the kind of the
value, so that one mistake is not reported once for each branch. jsonschema_rs does the check itself; this runs only
when the check fails. docs/adr/0009-schema-errors-by-hand.md says why this is not left to jsonschema.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from scenario_apply.errors import ManifestError
from scenario_apply.manifest.caption_words import captions_hint
from scenario_apply.manifest.other_generators import SIZE_HINT, foreign_sample_key
from scenario_apply.manifest.other_trainers import foreign_dataset_key, hint_for_list
from scenario_apply.manifest.parameters import unknown_parameter
from scenario_apply.manifest.positions import Map, Mark, Seq, SourceMark, kind_of
from scenario_apply.manifest.report import Report
from scenario_apply.manifest.sample_forms import SAMPLE_SETTINGS
from scenario_apply.manifest.schema.branches import (
    KINDS,
    Schema,
    is_kind,
    is_template_branch,
    kinds_of,
    shown,
    takes_kind,
    unknown_keys,
)
from scenario_apply.manifest.schema.key_hints import empty_section, unknown_key_hint
from scenario_apply.manifest.written_numbers import number_hint
from scenario_apply.model.did_you_mean import did_you_mean, listed
from scenario_apply.model.training_types import SECRET_PARAMETERS
from scenario_apply.model.yaml_word import yaml_word

NOT_BLANK = r"\S"  # the pattern of texts that hold more than spaces
SECTIONS = {"models": "model", "datasets": "dataset", "compositions": "composition"}
"""The maps that may have thousands of entries, and the schema's name for one entry."""
_LONGEST_WORD = 200  # characters that are compared with known words: aliases may repeat a long text
_DOT = re.compile(r"\.(?![^\[]*\])")  # between the keys of a path, not inside one


class Explanation:
    """fits: whether an entry of a section (models, datasets, compositions) is valid; valid entries are not walked.

    whole: what the document is, for the messages.
    """

    def __init__(
        self,
        schema: Schema,
        report: Report,
        fits: Callable[[str, Any], bool] | None = None,
        *,
        whole: str = "the manifest",
    ) -> None:
        self._root = schema
        self._whole = whole
        self._report = report
        self._is_right = fits

    def explain(self, document: Map) -> None:
        self._walk(self._root, document, "", document.start)

    def _resolve(self, schema: Schema | bool) -> Schema:
        if isinstance(schema, bool):
            return {}
        reference = schema.get("$ref")
        if reference is None:
            return schema
        found: Any = self._root
        for part in reference.removeprefix("#/").split("/"):
            found = found[part]
        return self._resolve({**found, **{k: v for k, v in schema.items() if k not in ("$ref", "description")}})

    def _walk(self, schema: Schema | bool, value: Any, path: str, mark: Mark) -> None:
        if self._report.is_wrong(mark) and not isinstance(value, Map | Seq):
            return
        schema = self._resolve(schema)
        if "anyOf" in schema:
            self._any_of(schema["anyOf"], value, path, mark)
            return
        wanted = schema.get("type")
        if wanted is not None and not is_kind(value, wanted):
            self._wrong_kind([schema], value, path, mark)
            return
        self._values(schema, value, path, mark)
        if isinstance(value, Map):
            self._map(schema, value, path, mark)
        elif isinstance(value, Seq):
            self._seq(schema, value, path, mark)

    def _any_of(self, branches: list[Schema], value: Any, path: str, mark: Mark) -> None:
        resolved = [self._resolve(branch) for branch in branches]
        if any(self._fits(branch, value) for branch in resolved):
            return
        meant = [branch for branch in resolved if not is_template_branch(branch)]
        same_kind = [branch for branch in meant if takes_kind(branch, value)]
        if not same_kind:
            self._wrong_kind(meant, value, path, mark)
            return
        if isinstance(value, Map) and len(same_kind) > 1:  # options or free entries: the branch that knows most keys
            same_kind.sort(key=lambda branch: unknown_keys(branch, value))
        self._walk(same_kind[0], value, path, mark)

    def _fits(self, schema: Schema | bool, value: Any) -> bool:
        try:
            Explanation(self._root, Report(most=1))._walk(schema, value, "", _NOWHERE)
        except ManifestError:
            return False
        return True

    def _values(self, schema: Schema, value: Any, path: str, mark: Mark) -> None:
        report, name = self._report, _last(path)
        if "const" in schema and (value != schema["const"] or type(value) is not type(schema["const"])):
            newer = path == "version" and isinstance(value, int) and value > 1
            right = "get a newer scenario-apply" if newer else f"write {name}: {schema['const']}"
            report.error("wrong-value", f"{name} must be {schema['const']}, not {shown(value)}", mark, right)
        if "enum" in schema and value not in schema["enum"]:
            self._not_in_list(schema["enum"], value, path, mark)
        if isinstance(value, str):
            if len(value) > schema.get("maxLength", len(value)):
                code = "name-too-long" if name == "name" else "too-long"
                what = f"{name} has {len(value)} characters; at most {schema['maxLength']} are allowed"
                report.error(code, what, mark, "shorten it")
            if not value.strip() and (schema.get("pattern") == NOT_BLANK or len(value) < schema.get("minLength", 0)):
                report.error("empty-value", f"{name} is empty", mark, "set a value or remove the key")
            elif "pattern" in schema and not re.search(schema["pattern"], value):
                examples = schema.get("examples")
                hint = f"write it like {examples[0]}" if examples else None
                report.error("wrong-value", f"{shown(value)} is not a valid {schema.get('title', name)}", mark, hint)
        if isinstance(value, int | float) and not isinstance(value, bool):
            self._range(schema, value, path, mark)

    def _not_in_list(self, known: list[Any], value: Any, path: str, mark: Mark) -> None:
        name = _last(path)
        if name == "type" and path.startswith(("models.", "defaults.models")):
            from scenario_apply.manifest.models import unknown_type

            unknown_type(str(value)[:_LONGEST_WORD], mark, self._report)
            return
        words = [str(word) for word in known]
        hint = did_you_mean(str(value)[:_LONGEST_WORD], words) if len(words) > 1 else f"write {words[0]}"
        what = f"{name} must be {listed(words, last='or')}, not {shown(value)}"
        self._report.error("unknown-type" if name == "type" else "wrong-value", what, mark, hint)

    def _range(self, schema: Schema, value: float, path: str, mark: Mark) -> None:
        low, above, high = schema.get("minimum"), schema.get("exclusiveMinimum"), schema.get("maximum")
        too_low = (low is not None and value < low) or (above is not None and value <= above)
        if not too_low and (high is None or value <= high):
            return
        least = f"more than {above:g}" if above is not None else f"{low:g}" if low is not None else ""
        most = f"{high:.10g}" if high is not None else ""
        allowed = f"{least} to {most}" if least and most else least or f"at most {most}"
        parameter = ".parameters." in f".{path}"
        code = "parameter-range" if parameter else "scale-range" if _last(path) == "scale" else "out-of-range"
        hint = f"use {allowed}" + ("" if high is not None or above is not None else " or more")
        self._report.error(code, f"{_last(path)} is {value:g}, out of range", mark, hint)

    def _map(self, schema: Schema, value: Map, path: str, mark: Mark) -> None:
        properties = schema.get("properties", {})
        conditional = self._conditional(schema, value)
        patterns = [(re.compile(p), s) for p, s in schema.get("patternProperties", {}).items()]
        for key, inner in value.items():
            key_mark, value_mark = value.marks[key]
            inner_path = f"{path}[{key!r}]" if "." in key else f"{path}.{key}" if path else key
            if key in conditional:
                self._walk(conditional[key], inner, inner_path, value_mark)
            elif key in properties:
                self._walk(properties[key], inner, inner_path, value_mark)
            elif (matching := next((s for p, s in patterns if p.search(key)), None)) is not None:
                if path in SECTIONS and self._is_right is not None and self._is_right(path, inner):
                    continue
                self._walk(matching, inner, inner_path, value_mark)
            elif (rest := schema.get("additionalProperties", True)) is False:
                self._unknown_key(
                    key, path, properties, key_mark, empty_section(value, key, SECTIONS) if not path else None
                )
                self._report.forget_undefined(inner, value_mark)
            else:
                self._walk(rest, inner, inner_path, value_mark)
        for key in schema.get("required", ()):
            if key not in value:
                shown = f"{_last(path) or self._whole} has no {key}"
                hint = "begin the file with `version: 1`" if key == "version" and not path else f"add `{key}:`"
                self._report.error("missing-key", shown, mark, hint)
        if len(value) < schema.get("minProperties", 0):
            self._report.error("empty-value", f"{_last(path)} is empty", mark)
        if len(value) > schema.get("maxProperties", len(value)):
            what = f"{_last(path)} has {len(value)} entries; at most {schema['maxProperties']} are allowed"
            self._report.error("too-long", what, mark, "split it")
            self._report.is_oversized = True

    def _conditional(self, schema: Schema, value: Map) -> Schema:
        """The properties that if/else adds for this value."""
        condition = schema.get("if")
        if condition is None:
            return {}
        chosen = schema.get("then" if self._fits(condition, value) else "else", {})
        properties: Schema = chosen.get("properties", {})
        return properties

    def _seq(self, schema: Schema, value: Seq, path: str, mark: Mark) -> None:
        is_size = _last(path) == "size"
        if len(value) < schema.get("minItems", 0):
            least = schema["minItems"]
            entries = "1 entry" if len(value) == 1 else f"{len(value)} entries"
            few = f"has {entries}; at least {least} are needed" if len(value) else "is an empty list"
            self._report.error("empty-value", f"{_last(path)} {few}", mark, SIZE_HINT if is_size else None)
        if len(value) > schema.get("maxItems", len(value)):
            what = f"{_last(path)} has {len(value)} entries; at most {schema['maxItems']} are allowed"
            self._report.error("too-long", what, mark, SIZE_HINT if is_size else "split it")
            self._report.is_oversized = True
            return
        if schema.get("uniqueItems"):
            seen: set[str] = set()
            for index, item in enumerate(value):
                key = item if isinstance(item, str) else repr(item)
                if key in seen:
                    self._report.error(
                        "duplicate-value", f"{shown(item)} appears twice in {_last(path)}", value.marks[index]
                    )
                seen.add(key)
        items = schema.get("items")
        if items is not None:
            for index, (item, item_mark) in enumerate(zip(value, value.marks, strict=True)):
                self._walk(items, item, f"{path}[{index}]", item_mark)

    def _unknown_key(self, key: str, path: str, properties: Schema, mark: Mark, section: str | None) -> None:
        """section: the one of the top level that the key seems to belong to."""
        if self._report.is_wrong(mark):
            return
        if _last(path) == "parameters":
            unknown_parameter(key, mark, self._report)
            return
        if not properties:  # models, compositions, datasets, variables: a key that is not a valid name
            what = f"{key!r} cannot be a key of {path}"
            self._report.error("key", what, mark, "use letters, digits, _ and -; `name:` accepts any text")
            return
        where = f"in {path}" if path else "at the top level"
        hint = unknown_key_hint(key, path, properties, self._root, section)
        self._report.error("unknown-key", f"unknown key {key} {where}", mark, hint)

    def _number_hint(self, value: str, mark: Mark, *, whole: bool) -> str:
        """For a text where a number is wanted. Without quotes in the file, something else is wrong with it."""
        line = self._report.place(mark).text or ""
        quoted = line[mark.column : mark.column + 1] in ("'", '"')
        wanted = "write a number without quotes" if quoted else "write a number"
        return number_hint(value, whole=whole, quoted=quoted) or wanted

    def _is_rendered(self, mark: Mark) -> bool:
        """Whether the value at this position comes from a template."""
        line = self._report.place(mark).text or ""
        return line[mark.column :].lstrip("\"'").startswith("{{")

    def _wrong_kind(self, branches: list[Schema], value: Any, path: str, mark: Mark) -> None:
        if self._report.is_wrong(mark):
            return
        kinds: list[str] = []
        for branch in branches:
            for kind in kinds_of(branch):
                if kind not in kinds and kind != "null":
                    kinds.append(kind)
        wanted = " or ".join(KINDS[kind] for kind in kinds)
        hint = None
        if self._is_rendered(mark) and isinstance(value, bool | int | float | str) and _last(path) != "samples":
            hint = _FILTERS.get(next(iter(kinds), ""))  # its own quotes are those of the template
        elif _last(path) in _FORMS:
            hint = _FORMS[_last(path)]
        elif _last(path) == "captions" and isinstance(value, bool):
            hint = captions_hint("yes" if value else "no")
        elif (foreign := _hint_of_other_trainers(path, value)) is not None:
            hint = foreign
        elif "string" in kinds and not isinstance(value, Map | Seq) and value is not None:
            hint = "put it in quotes"
        elif value is None and _last(path) == "background":
            hint = 'put the colour in quotes, "#ffffff": what follows a # without them is a comment'
        elif value is None:
            hint = "set a value or remove the key"
        elif isinstance(value, str) and ("number" in kinds or "integer" in kinds):
            hint = self._number_hint(value, mark, whole="number" not in kinds)
        elif kinds[:1] == ["array"] and not isinstance(value, Map | bool):
            entry = yaml_word(value[:_LONGEST_WORD]) if isinstance(value, str) else value
            glued = isinstance(value, str) and re.match(r"-[^\s-]", value)
            hint = "write a space after each dash: - first" if glued else f"write [{entry}]"
        elif path in SECTIONS and isinstance(value, Seq):
            hint = "write each below its own key, without a dash: `kael:`"
        is_shown = isinstance(value, float) and _last(path) not in SECRET_PARAMETERS
        given = f"{value:g}" if is_shown else kind_of(value)
        self._report.error("wrong-type", f"{_last(path)} must be {wanted}, not {given}", mark, hint)


def _hint_of_other_trainers(path: str, value: Any) -> str | None:
    """For lists of captions and of before pictures, and for options of captions that only other trainers have."""
    if isinstance(value, Seq):
        return hint_for_list(_last(path))
    if "samples." in path and isinstance(value, int | float):  # a setting among the sets
        return foreign_sample_key(_last(path), has_prompts=True) or did_you_mean(_last(path), SAMPLE_SETTINGS)
    return foreign_dataset_key(_last(path)) if ".captions." in path else None


_FORMS = {"size": SIZE_HINT, "best": "write best: { version: 3 }, as `scenario-apply promote` does"}
_FILTERS = {
    "string": "make it text: {{ ... | string }}",
    "integer": "make it a number: {{ ... | int }}, or write the variable without quotes",
    "number": "make it a number: {{ ... | float }}, or write the variable without quotes",
}


_NOWHERE = SourceMark("", 0, 0)


def _last(path: str) -> str:
    return _DOT.split(path)[-1]
