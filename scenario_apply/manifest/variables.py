"""Variables: gives each declared variable its value from --var, --var-file or its default."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct, field

from scenario_apply.errors import Location
from scenario_apply.manifest.fields import child, flag, is_extension, text
from scenario_apply.manifest.positions import Map, Mark, Node, kind_of
from scenario_apply.manifest.report import Report
from scenario_apply.manifest.templating.template_text import is_template
from scenario_apply.manifest.templating.templates import Templates
from scenario_apply.manifest.variable_values import Variables
from scenario_apply.manifest.yaml.scalars import NotANumber, plain_scalar
from scenario_apply.model.did_you_mean import did_you_mean
from scenario_apply.model.file_names import is_unicode, spelled
from scenario_apply.model.secret import Secret

RESERVED = ("env", "var", "trigger", "caption", "stem", "path", "range", "loop", "true", "false", "none")
"""Names with a meaning in templates. A variable of that name would hide it or be hidden."""

_KINDS: dict[str, tuple[type, ...]] = {
    "text": (str,),
    "number": (int, float),
    "integer": (int,),
    "boolean": (bool,),
    "list": (list,),
    "map": (dict,),
}
_COMMAND_LINE = Location(file="--var")
_HOW_TO_GIVE_A_SECRET = 'set it with --var-file, or write default: "{{ env.NAME }}" and add --allow-env NAME'  # noqa: S105  # a sentence


class VariableInputs(Struct, frozen=True, kw_only=True):
    """command_line: --var K=V as typed. files: the maps of --var-file; a later file wins."""

    command_line: Mapping[str, str] = field(default_factory=dict)
    files: Sequence[Map] = ()


def resolved(document: Map, given: VariableInputs, templates: Templates, report: Report) -> Variables:
    """The value of every declared variable: --var over --var-file over default. A default may use `env` and
    the variables declared above it. Undeclared names, missing values and values of another kind are reported."""
    block = child(document, "variables") or Map(document.start)
    found = Variables()
    declared = [name for name in block if not is_extension(name)]
    _report_undeclared(declared, given, report)
    for name in declared:
        fields, marks = block[name], block.marks[name]
        if name in RESERVED:
            report.error("variable-name", f"{name} is a reserved name in templates", marks[0], "choose another name")
            continue
        kind = (text(fields, "type") or "any") if isinstance(fields, Map) else "any"
        is_secret = isinstance(fields, Map) and flag(fields, "secret", False)
        if is_secret and name in given.command_line:
            what = f"--var {name}: the variable is secret, and other users and logs see a command line"
            hint = _HOW_TO_GIVE_A_SECRET
            report.error("secret-in-clear", what, _COMMAND_LINE, hint)
            found.secret.add(name)
            found.values[name] = None
            continue
        has_value, value, where = _value(name, fields, marks, kind, given, found, templates, report)
        if is_secret and isinstance(value, str):
            report.hide(value)  # it comes from a variable file
        if not has_value:
            hint = f"set --var {name}=VALUE, or add a default"
            if is_secret:
                found.secret.add(name)
                hint = _HOW_TO_GIVE_A_SECRET
            report.error("variable-missing", f"the variable {name} has no value", marks[0], hint)
            found.values[name] = None
            continue
        if kind != "any" and not _is_kind(value, kind):
            called, example = _CALLED.get(kind, (kind, "42"))
            what = f"the variable {name} must be {called}, not {kind_of(value)}"
            by_file = where is _COMMAND_LINE and kind in ("list", "map")
            report.error("wrong-type", what, where, "set it with --var-file" if by_file else f"write {example}")
        if is_secret and isinstance(fields, Map):
            if fields.get("default") and not is_template(str(fields["default"])):
                what = f"the variable {name} is secret, but its value is written in the manifest"
                hint = 'write default: "{{ env.NAME }}", set that variable and add --allow-env NAME'
                report.hide(str(fields["default"]))
                report.error("secret-in-clear", what, fields.value_mark("default"), hint)
            found.secret.add(name)
            value = value if isinstance(value, Secret) else Secret(str(value))
        found.values[name] = value
    return found


_CALLED = {
    "text": ("text", "it in quotes"),
    "number": ("a number", "a number, such as 1e-4"),
    "integer": ("a whole number", "a whole number"),
    "boolean": ("true or false", "true or false"),
    "list": ("a list", "[a, b]"),
    "map": ("a map", "{a: 1}"),
}


def _value(
    name: str,
    fields: Node,
    marks: tuple[Mark, Mark],
    kind: str,
    given: VariableInputs,
    found: Variables,
    templates: Templates,
    report: Report,
) -> tuple[bool, Node, Mark | Location]:
    if name in given.command_line:
        written = given.command_line[name]
        if not is_unicode(written):
            report.error("not-utf-8", f"--var {name}: the value is not UTF-8", _COMMAND_LINE, "give it as UTF-8")
            return True, spelled(written), _COMMAND_LINE
        if kind == "text":
            return True, written, _COMMAND_LINE
        try:
            return True, plain_scalar(written.strip()), _COMMAND_LINE
        except NotANumber as error:
            report.error("not-a-number", f"--var {name}: {error}", _COMMAND_LINE)
            return True, None, _COMMAND_LINE
    for file in reversed(given.files):
        if name in file:
            return True, file[name], file.value_mark(name)
    if not isinstance(fields, Map):  # the short form: name: value
        return True, templates.render_value(fields, marks[1], found), marks[1]
    if "default" in fields:
        mark = fields.value_mark("default")
        is_secret = flag(fields, "secret", False)
        return True, templates.render_value(fields["default"], mark, found, secret=is_secret), mark
    return False, None, marks[0]


def _report_undeclared(declared: Sequence[str], given: VariableInputs, report: Report) -> None:
    for name in given.command_line:
        if name not in declared:
            hint = did_you_mean(name, declared) or "declare it under variables:"
            report.error("variable-unknown", f"--var {name}: the manifest does not declare it", _COMMAND_LINE, hint)
    for file in given.files:
        for name in file:
            if name not in declared and not is_extension(name):
                hint = did_you_mean(name, declared) or "declare it under variables:"
                report.error("variable-unknown", f"the manifest declares no variable {name}", file.key_mark(name), hint)


def _is_kind(value: Node, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    if isinstance(value, Secret):
        return kind == "text"
    return isinstance(value, _KINDS.get(kind, (object,)))
