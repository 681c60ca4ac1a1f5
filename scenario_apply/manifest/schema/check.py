"""Checks a manifest against schema/manifest.schema.json: fast when it is valid, else every violation is explained."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

from scenario_apply.manifest.positions import Map, masked_nodes
from scenario_apply.manifest.report import Report

if TYPE_CHECKING:
    import jsonschema_rs


@lru_cache(maxsize=2)
def _compiled(schema: bytes) -> tuple[dict[str, Any], jsonschema_rs.Draft202012Validator]:
    import jsonschema_rs

    parsed = json.loads(schema)
    return parsed, jsonschema_rs.Draft202012Validator(parsed)


@lru_cache(maxsize=2)
def _sections(schema: bytes) -> dict[str, jsonschema_rs.Draft202012Validator]:
    """Validators for one model, dataset or composition, so that only invalid entries are walked."""
    import jsonschema_rs

    from scenario_apply.manifest.schema.explain import SECTIONS

    definitions = json.loads(schema)["$defs"]
    return {
        section: jsonschema_rs.Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": definitions})
        for section, name in SECTIONS.items()
    }


def check_matrix_fields(fields: Map, schema: bytes, report: Report) -> None:
    """Reports every violation in fields of a model that come from its matrix, where the schema takes any value."""
    document = cast(Map, masked_nodes(fields))
    if _sections(schema)["models"].is_valid(document):
        return
    from scenario_apply.manifest.schema.explain import Explanation

    parsed, _ = _compiled(schema)
    definition = {"$ref": "#/$defs/model", "$defs": parsed["$defs"]}
    Explanation(definition, report, whole="the matrix").explain(document)


def check_shape(document: Map, schema: bytes, report: Report) -> None:
    """Reports every violation. schema: the bytes of the schema file; compiled once per process."""
    document = cast(Map, masked_nodes(document))
    parsed, validator = _compiled(schema)
    if validator.is_valid(document):
        return
    from scenario_apply.manifest.schema.explain import Explanation

    sections = _sections(schema)
    before = len(report.problems)
    Explanation(parsed, report, lambda section, value: sections[section].is_valid(value)).explain(document)
    if len(report.problems) > before or report.has_errors:
        return
    for error in validator.iter_errors(document):  # a rule of the schema that the explanation does not know
        where = ".".join(str(part) for part in error.instance_path)
        report.error("schema", f"{where or 'the manifest'}: {error.message}", document.start)
