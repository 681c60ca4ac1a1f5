"""State ⇄ JSON: the state file as a type. Readers ignore fields they do not know; writers leave out what is empty."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType
from msgspec.structs import replace

from scenario_apply.errors import StateDamaged, StateError, StateNewer
from scenario_apply.model import codec
from scenario_apply.model.address import parse_address
from scenario_apply.model.codec import Count, Misfit
from scenario_apply.model.remote import AssetId
from scenario_apply.model.steps import StepId
from scenario_apply.state.state import (
    FINGERPRINT_VERSION,
    FORMAT_VERSION,
    AssetRecord,
    HistoryEntry,
    ImageRecord,
    Record,
    SampleEntry,
    State,
    TrainingEntry,
    Version,
)

FormatVersion = Annotated[str, Meta(pattern=r"\A[0-9]{1,6}\.[0-9]{1,6}\Z")]


class JournalNote(Struct, frozen=True, kw_only=True):
    """How much of a journal a state holds already: its run and the lines of it.

    open: the calls of those lines whose outcome was not known yet. Left out where the journal lies beside the state and
    says so itself.
    """

    run: str | None
    lines: Count
    open: tuple[StepId, ...] | UnsetType = UNSET

    def may_be_open(self, step_id: StepId) -> bool:
        """Whether a call that was sent in those lines may still be without an outcome."""
        return self.open is UNSET or step_id in self.open


class FormatHead(Struct, frozen=True):
    """What every format of a state file begins with, also one of a newer tool."""

    format_version: FormatVersion
    tool_version: str | None = None


class StateFile(Struct, frozen=True, kw_only=True):
    """A state file, as it lies on disk."""

    format_version: FormatVersion
    tool_version: str | None = None
    lineage: Annotated[str, Meta(min_length=1)]
    serial: Count
    endpoint: str | None = None
    project: str | None = None
    resources: dict[str, Record]
    history: tuple[HistoryEntry, ...] | UnsetType = UNSET
    trainings: tuple[TrainingEntry, ...] | UnsetType = UNSET
    samples: tuple[SampleEntry, ...] | UnsetType = UNSET
    assets: dict[AssetId, AssetRecord] | UnsetType = UNSET
    journal: JournalNote | UnsetType | None = UNSET
    moved_to: str | UnsetType = UNSET  # by `state migrate`: what follows is kept there

    @property
    def is_of_a_newer_minor(self) -> bool:
        """Whether it may hold fields that this tool does not know and would lose."""
        return _numbers(self.format_version) > _numbers(FORMAT_VERSION)

    def says_the_same(self, other: StateFile) -> bool:
        """Whether both record the same. Serial, tool and journal may differ: a journal may be replayed again."""
        return _compared(self) == _compared(other)


class StateMoved(StateError):
    """The state was moved to another place; what is left here is its last copy. file: that copy."""

    code = "state-moved"

    def __init__(self, source: str, file: StateFile) -> None:
        to = str(file.moved_to)[:500]
        written = shlex.quote(to)
        super().__init__(
            f"the state {source} was moved to {to}",
            hint=f"if that is right, write `state: {written}` in the manifest, or name it: --state {written}",
        )
        self.file = file


def file_of(state: State, *, tool_version: str, journal: JournalNote | None = None) -> StateFile:
    """A state as a file; every address, image and asset in a stable order."""
    return StateFile(
        format_version=FORMAT_VERSION,
        tool_version=tool_version,
        lineage=state.lineage or "",
        serial=state.serial,
        endpoint=state.endpoint,
        project=state.project,
        resources={str(address): _in_order(state.records[address]) for address in sorted(state.records)},
        history=state.history or UNSET,
        trainings=state.trainings or UNSET,
        samples=state.samples or UNSET,
        assets={key: state.loose[key] for key in sorted(state.loose)} or UNSET,
        journal=journal or UNSET,
    )


def state_of(file: StateFile, *, source: str) -> State:
    """The state in a file. Raises StateDamaged or StateNewer, StateMoved for what is kept in another place now."""
    if file.moved_to:
        raise StateMoved(source, file)
    records = {}
    for key, record in file.resources.items():
        try:
            records[parse_address(key)] = record
        except ValueError as error:
            raise damaged(source, Misfit(str(error), f'resources["{key}"]')) from error
        _check_fingerprints(key, record, source)
    return State(
        lineage=file.lineage,
        serial=file.serial,
        endpoint=file.endpoint,
        project=file.project,
        records=records,
        loose=file.assets or {},
        history=file.history or (),
        trainings=file.trainings or (),
        samples=file.samples or (),
    )


def read_state_file(content: bytes, *, source: str) -> StateFile:
    """The file that these bytes are. Raises StateDamaged or StateNewer, naming source and the field."""
    file = _read(lambda type_: codec.decoded(content, type_), source)
    if codec.document(file) != content:  # not as it was written, so by another hand
        _refuse_duplicates(content, source)
    return file


class DuplicateKey(StateDamaged):
    """A key that stands twice in one map: readers take the last one, which was not chosen."""


def _refuse_duplicates(content: bytes, source: str) -> None:
    """Raises DuplicateKey: a merge by hand leaves both, and the record that is dropped would be paid for again."""

    def checked(pairs: list[tuple[str, object]]) -> None:
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise DuplicateKey(f"{source} is damaged: {_where_twice(content, key)}")
            seen.add(key)

    try:  # numbers are read as texts: those of fields that are not known may have any length
        json.loads(content, object_pairs_hook=checked, parse_int=str, parse_float=str)
    except (ValueError, RecursionError) as error:
        raise damaged(source, Misfit("it is not JSON, or nested too deeply")) from error


def _where_twice(content: bytes, key: str) -> str:
    quoted = json.dumps(key).encode()
    lines = [str(number) for number, line in enumerate(content.splitlines(), 1) if quoted + b":" in line]
    # a key such as "id" stands in many maps
    places = f" (lines {lines[0]} and {lines[1]})" if len(lines) == 2 else ""
    return f"the key {key[:80]!r} stands twice in one map{places}"


def state_to_json(state: State, *, tool_version: str) -> dict[str, Any]:
    """A state as plain values."""
    plain: dict[str, Any] = codec.plain(file_of(state, tool_version=tool_version))
    return plain


def state_from_json(plain: object, *, source: str) -> State:
    """The state that plain values describe. Raises StateDamaged or StateNewer, naming source and the field."""
    return state_of(_read(lambda type_: codec.fitted(plain, type_), source), source=source)


def record_to_json(record: Record) -> dict[str, object]:
    """One record as plain values."""
    plain: dict[str, object] = codec.plain(_in_order(record))
    return plain


def damaged(source: str, misfit: Misfit) -> StateDamaged:
    """The error for a state that is not one."""
    return StateDamaged(
        f"{source} is damaged: {misfit}",
        hint="nothing was changed",
    )


def newer(source: str, format_version: str, tool_version: str | None, but: str = "this tool reads 1.0") -> StateNewer:
    """The error for a state of a format that this tool does not know whole."""
    return StateNewer(
        f"{source} has format {format_version}, written by scenario-apply {tool_version}; {but}",
        hint="install the newer scenario-apply, or go back to a file in backups/",
    )


def _read(read: Callable[[Any], Any], source: str) -> StateFile:
    """read: gives the file as a value of a type. A newer major version may have another shape altogether."""
    try:
        file: StateFile = read(StateFile)
    except Misfit as misfit:
        try:
            head: FormatHead = read(FormatHead)
        except Misfit as without_head:
            raise damaged(source, without_head) from without_head
        _refuse_other_major(head.format_version, head.tool_version, source)
        raise damaged(source, misfit) from misfit
    _refuse_other_major(file.format_version, file.tool_version, source)
    return file


def _refuse_other_major(format_version: str, tool_version: str | None, source: str) -> None:
    if _numbers(format_version)[0] != _numbers(FORMAT_VERSION)[0]:
        raise newer(source, format_version, tool_version)


def _check_fingerprints(key: str, record: Record, source: str) -> None:
    """A fingerprint of a version that this tool cannot compute says nothing on whether a model is up to date."""
    texts = [record.held, *(version.fingerprint for version in record.versions())]
    for text in filter(None, texts):
        if int(text.split(":", 1)[0]) > FINGERPRINT_VERSION:
            raise StateNewer(
                f'{source}: resources["{key}"] holds the fingerprint {text[:16]}… of a newer scenario-apply',
                hint="install the newer scenario-apply, or go back to a file in backups/",
            )


def _numbers(format_version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in format_version.split("."))


def _in_order(record: Record) -> Record:
    return replace(
        record,
        current=_sorted(record.current),
        pending=None if record.pending is None else _sorted(record.pending),
        previous=tuple(_sorted(version) for version in record.previous),
    )


def _sorted(version: Version) -> Version:
    if len(version.images) < 2:
        return version
    return replace(version, images=tuple(sorted(version.images, key=_in_image_order)))


def _in_image_order(image: ImageRecord) -> tuple[str, ...]:
    return image.path, image.sha256, image.asset_id, image.caption


def _compared(file: StateFile) -> bytes:
    return codec.compact(replace(file, serial=0, tool_version=None, journal=UNSET))
