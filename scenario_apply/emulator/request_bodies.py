"""JSON bodies of requests: decoded, and checked against the contract's own schemas.

request_bodies.json holds the schema of each operation's body and, for each family of training types, the narrower
bounds of its parameters. `python tests/contract/request_bodies.py` generates it from the contract; the emulator reads
it instead of the contract because parsing the contract's YAML would slow down its start. Unknown properties are
accepted, as the contract says. null is accepted only where the schema names it.
"""

from __future__ import annotations

from functools import cache, cached_property, reduce
from operator import getitem
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from scenario_apply.emulator.messages import Json, Request, bad_request

if TYPE_CHECKING:
    import jsonschema_rs

_TYPES = {
    "string": "a string",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "array": "an array",
    "object": "an object",
    "null": "null",
}


class BodySchema:
    """A JSON Schema, which may refer to the contract's schemas of bodies. It is compiled on first use."""

    def __init__(self, schema: Json) -> None:
        self._schema = schema

    @cached_property
    def _validator(self) -> jsonschema_rs.Draft202012Validator:
        import jsonschema_rs  # not at the top: it takes longer to import than the rest of a start-up needs

        return jsonschema_rs.Draft202012Validator({**self._schema, "components": {"schemas": _contract()["schemas"]}})

    def check(self, value: object, place: str, *, open_enum: str | None = None) -> None:
        """Raise a 400 that says what is wrong, and where below `place`.

        open_enum names a property whose values the caller checks itself: the service has special answers for some
        values that the contract does not list.
        """
        try:
            if self._validator.is_valid(value):
                return
            errors = list(self._validator.iter_errors(value))
        except ValueError:  # more levels than the validator follows
            raise bad_request(f"{place}: is nested too deeply") from None
        for error in errors:
            if not (error.schema_path[-1] == "enum" and error.instance_path == [open_enum]):
                raise bad_request(self._sentence(error, place))

    def _sentence(self, error: jsonschema_rs.ValidationError, place: str) -> str:
        path = error.instance_path
        at = place + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
        at = at.removeprefix(".")
        kind: Any = error.kind
        match error.schema_path[-1]:
            case "required":
                return f"{at}.{kind.property}: is required"
            case "type":
                names = " or ".join(sorted((_TYPES[name] for name in kind.types), key="null".__eq__))
                return f"{at}: must be {names}" if path else f"{at}: must be {names.replace('an', 'a JSON', 1)}"
            case "enum":
                return f"{at}: must be one of {', '.join(kind.options)}"
            case "minimum":
                return f"{at}: must be at least {kind.limit}, not {error.instance}"
            case "exclusiveMinimum":
                return f"{at}: must be more than {kind.limit}, not {error.instance}"
            case "maximum":
                return f"{at}: must be at most {kind.limit}, not {error.instance}"
            case "maxLength":
                return f"{at}: must not be longer than {kind.limit} characters"
            case "minItems":
                return f"{at}: must hold at least {kind.limit}"
            case "maxItems" if path[-1] == "assetIds":
                return "Too many assetIds provided in a single request"  # the service's own sentence
            case "maxItems":
                return f"{at}: must not hold more than {kind.limit}"
            case "additionalProperties":
                steps: list[Any] = list(error.schema_path[:-1])
                known: Json = reduce(getitem, steps, self._schema)["properties"]
                return f"{at}.{kind.unexpected[0][:40]}: is unknown; known are {', '.join(known)}"
        return f"{at}: {error.message[:200]}"


def read_object(request: Request, *, open_enum: str | None = None) -> Json:
    """The body of an operation of the contract; {} where the contract lets it be left out. Raises 400."""
    operation = _contract()["operations"][request.operation]
    if not request.body and not operation["required"]:
        return {}
    value: Json = read_json(request)
    _schema_of(request.operation).check(value, "body", open_enum=open_enum)
    return value


def read_array(request: Request) -> list[Json]:
    """The same for an operation whose body is an array."""
    value: list[Json] = read_json(request)
    _schema_of(request.operation).check(value, "body")
    return value


def read_json(request: Request) -> Any:
    """The body of a request, not checked yet. Raises 400 for another content type, and for what is not JSON."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
        raise bad_request(
            f"content-type: must be application/json, not {kind or 'missing'}", "UNSUPPORTED_CONTENT_TYPE"
        )
    try:
        return orjson.loads(request.body)
    except orjson.JSONDecodeError as problem:
        raise bad_request(f"body: not valid JSON: {problem}", "INVALID_JSON") from None


@cache
def parameters_schema(family: str) -> BodySchema:
    """The bounds of a family's training parameters; none for a family that the contract does not list."""
    return BodySchema(_contract()["families"].get(family, {}))


@cache
def _schema_of(operation: str) -> BodySchema:
    return BodySchema(_contract()["operations"][operation]["schema"])


@cache
def _contract() -> Json:
    content: Json = orjson.loads(Path(__file__).with_suffix(".json").read_bytes())
    return content
