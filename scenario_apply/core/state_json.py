"""State ⇄ JSON-ready values. Readers ignore fields they do not know; writers sort and leave out what is empty."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from scenario_apply.core.address import Address, parse_address
from scenario_apply.core.manifest.secret import MASK
from scenario_apply.core.remote import AssetId, JobId, ModelId
from scenario_apply.core.state import (
    FORMAT_VERSION,
    AssetRecord,
    ConceptRecord,
    Entry,
    ImageRecord,
    PairRecord,
    Phase,
    Record,
    State,
    Version,
)
from scenario_apply.core.training_types import SECRET_PARAMETERS
from scenario_apply.errors import StateDamaged, StateNewer

_PHASES = {"building", "training", "trained", "failed", "canceled"}
_PLAIN = ("name", "type", "description", "fingerprint", "job_id", "reason", "quoted", "charged")
_TIMES = ("created_at", "launched_at", "ended_at")


def state_to_json(state: State, *, tool_version: str) -> dict[str, object]:
    """A state as plain values; every address, image and asset in a stable order."""
    resources = {str(address): record_to_json(state.records[address]) for address in sorted(state.records)}
    plain: dict[str, object] = {
        "format_version": FORMAT_VERSION,
        "tool_version": tool_version,
        "lineage": state.lineage,
        "serial": state.serial,
        "endpoint": state.endpoint,
        "project": state.project,
        "resources": resources,
    }
    if state.history:
        plain["history"] = [{k: v for k, v in entry._asdict().items() if v is not None} for entry in state.history]
    if state.loose:
        plain["assets"] = {
            key: {"sha256": state.loose[key].sha256, "caption": state.loose[key].caption} for key in sorted(state.loose)
        }
    return plain


def record_to_json(record: Record) -> dict[str, object]:
    """One record as plain values."""
    plain: dict[str, object] = {"current": version_to_json(record.current)}
    if record.pending is not None:
        plain["pending"] = version_to_json(record.pending)
    if record.previous:
        plain["previous"] = [version_to_json(version) for version in record.previous]
    if record.protected:
        plain["protected"] = True
    if record.held is not None:
        plain["held"] = record.held
    return plain


def version_to_json(version: Version) -> dict[str, object]:
    """One version as plain values."""
    plain: dict[str, object] = {"number": version.number, "id": version.id, "phase": version.phase}
    for key in (*_PLAIN, *_TIMES):
        value = getattr(version, key)
        if value is not None:
            plain[key] = value
    if version.tags:
        plain["tags"] = list(version.tags)
    if version.parameters:
        plain["parameters"] = dict(version.parameters)
    if version.concepts:
        plain["concepts"] = [{k: v for k, v in c._asdict().items() if v is not None} for c in version.concepts]
    if version.images:
        plain["images"] = [image._asdict() for image in sorted(version.images)]
    if version.pairs:
        plain["pairs"] = [pair._asdict() for pair in version.pairs]
    return plain


def state_from_json(plain: object, *, source: str) -> State:
    """The state that plain values describe. Raises StateDamaged or StateNewer, naming source and the field."""
    reader = _Reader(source)
    top = reader.mapping(plain, "state")
    format_version = reader.text(top.get("format_version"), "format_version")
    if format_version.split(".")[0] != FORMAT_VERSION.split(".")[0]:
        written_by = top.get("tool_version")
        raise StateNewer(
            f"{source} has format {format_version}, written by scenario-apply {written_by}; this tool reads 1.x",
            mend="install the newer scenario-apply, or go back to a file in backups/",
        )
    serial = top.get("serial")
    if not isinstance(serial, int) or isinstance(serial, bool) or serial < 0:
        raise reader.damaged("serial", "is no number")
    records: dict[Address, Record] = {}
    for key, value in reader.mapping(top.get("resources"), "resources").items():
        try:
            address = parse_address(key)
        except ValueError as error:
            raise reader.damaged(f"resources.{key}", str(error)) from error
        records[address] = record_from_json(value, reader, key)
    loose = {
        AssetId(key): AssetRecord(
            reader.text(reader.mapping(value, f"assets.{key}").get("sha256"), f"assets.{key}.sha256"),
            reader.text(reader.mapping(value, f"assets.{key}").get("caption"), f"assets.{key}.caption"),
        )
        for key, value in reader.mapping(top.get("assets", {}), "assets").items()
    }
    return State(
        lineage=reader.text(top.get("lineage"), "lineage"),
        serial=serial,
        endpoint=reader.optional_text(top.get("endpoint"), "endpoint"),
        project=reader.optional_text(top.get("project"), "project"),
        records=records,
        loose=loose,
        history=_history(top.get("history", []), reader),
    )


def _history(plain: object, reader: _Reader) -> tuple[Entry, ...]:
    try:
        return tuple(
            Entry(**{key: item[key] for key in Entry._fields if key in item})
            for item in cast("list[dict[str, Any]]", plain)
        )
    except (TypeError, KeyError, AttributeError) as error:
        raise reader.damaged("history", f"has an entry of another shape ({error})") from error


def record_from_json(plain: object, reader: _Reader, at: str) -> Record:
    """One record; at names it in errors."""
    values = reader.mapping(plain, at)
    previous = values.get("previous", [])
    if not isinstance(previous, list):
        raise reader.damaged(f"{at}.previous", "is no list")
    pending = values.get("pending")
    return Record(
        current=version_from_json(values.get("current"), reader, f"{at}.current"),
        pending=None if pending is None else version_from_json(pending, reader, f"{at}.pending"),
        previous=tuple(version_from_json(v, reader, f"{at}.previous[{n}]") for n, v in enumerate(previous)),
        protected=values.get("protected") is True,
        held=reader.optional_text(values.get("held"), f"{at}.held"),
    )


def record_alone(plain: object, source: str) -> Record:
    """A record that stands by itself, in a saved plan. Raises StateDamaged."""
    return record_from_json(plain, _Reader(source), "record")


def version_from_json(plain: object, reader: _Reader, at: str) -> Version:
    """One version; at names it in errors."""
    values = reader.mapping(plain, at)
    phase = reader.text(values.get("phase"), f"{at}.phase")
    number = values.get("number")
    if phase not in _PHASES:
        raise reader.damaged(f"{at}.phase", f"is {phase!r}")
    if not isinstance(number, int) or isinstance(number, bool):
        raise reader.damaged(f"{at}.number", "is no number")
    try:
        images = tuple(
            ImageRecord(i["path"], i["sha256"], AssetId(i["asset_id"]), i["caption"])
            for i in cast(list[dict[str, str]], values.get("images", []))
        )
        pairs = tuple(
            PairRecord(AssetId(p["source_id"]), AssetId(p["target_id"]), p["instruction"])
            for p in cast(list[dict[str, str]], values.get("pairs", []))
        )
        concepts = tuple(
            ConceptRecord(
                ModelId(str(c["model_id"])),
                float(cast(float, c["scale"])),
                cast("str | None", c.get("epoch")),
                cast("str | None", c.get("trained_from")),
            )
            for c in cast(list[dict[str, object]], values.get("concepts", []))
        )
        tags = tuple(cast(list[str], values.get("tags", [])))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise reader.damaged(at, f"has an entry of another shape ({error})") from error
    texts = {key: reader.optional_text(values.get(key), f"{at}.{key}") for key in (*_PLAIN[2:6], *_TIMES)}
    return Version(
        number=number,
        id=ModelId(reader.text(values.get("id"), f"{at}.id")),
        phase=cast(Phase, phase),
        name=reader.text(values.get("name"), f"{at}.name"),
        type=reader.text(values.get("type"), f"{at}.type"),
        description=texts["description"],
        tags=tags,
        parameters=_without_digests(reader.mapping(values.get("parameters", {}), f"{at}.parameters")),
        concepts=concepts,
        images=images,
        pairs=pairs,
        fingerprint=texts["fingerprint"],
        job_id=None if texts["job_id"] is None else JobId(texts["job_id"]),
        reason=texts["reason"],
        quoted=reader.optional_number(values.get("quoted"), f"{at}.quoted"),
        charged=reader.optional_number(values.get("charged"), f"{at}.charged"),
        created_at=texts["created_at"],
        launched_at=texts["launched_at"],
        ended_at=texts["ended_at"],
    )


def _without_digests(parameters: Mapping[str, object]) -> Mapping[str, object]:
    """The parameters with every secret masked: earlier releases stored a digest of it."""
    return {key: MASK if key in SECRET_PARAMETERS else value for key, value in parameters.items()}


class _Reader:
    """Reads plain values and says, in one voice, what is wrong with them."""

    def __init__(self, source: str) -> None:
        self.source = source

    def damaged(self, at: str, what: str) -> StateDamaged:
        return StateDamaged(
            f"{self.source} is damaged: {at} {what}",
            mend="copy the newest file of backups/ beside it over it; nothing was changed",
        )

    def mapping(self, value: object, at: str) -> Mapping[str, object]:
        if not isinstance(value, dict):
            raise self.damaged(at, "is missing" if value is None else "is no map")
        return value

    def text(self, value: object, at: str) -> str:
        if not isinstance(value, str):
            raise self.damaged(at, "is missing" if value is None else "is no text")
        return value

    def optional_text(self, value: object, at: str) -> str | None:
        return None if value is None else self.text(value, at)

    def optional_number(self, value: object, at: str) -> float | None:
        if value is None:
            return None
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise self.damaged(at, "is no number")
        return value
