"""Exports weights into a folder: each file once, under a name that nothing else has.

First everything is checked that can be, then all exports are begun, so that the service works on them at once; then one
file after another is downloaded.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from hashlib import sha256
from typing import TYPE_CHECKING, Literal

from msgspec import Struct, field
from msgspec.structs import replace

from scenario_apply.apply.export.weights_choice import WeightsTarget
from scenario_apply.apply.export.weights_content import ending_of_weights
from scenario_apply.apply.export.weights_download import AddressesGone, FileDownload, FileSource, Stated, WholeFile
from scenario_apply.apply.export.weights_jobs import JobGone, WeightsJobs
from scenario_apply.apply.export.weights_record import (
    BegunWeights,
    HeldWeights,
    WeightsError,
    WeightsKey,
    WeightsRecord,
)
from scenario_apply.apply.refresh import read_models
from scenario_apply.errors import ApiError, PlanCeiling, ScenarioApplyError
from scenario_apply.model.remote import RemoteModel
from scenario_apply.model.timestamps import iso
from scenario_apply.state.stores.own_files import UnsafeFile

if TYPE_CHECKING:
    from scenario_apply.model.ports import Clock, ScenarioApi
    from scenario_apply.model.remote import ModelId
    from scenario_apply.model.secret import Secret

ENDINGS = (".safetensors", ".zip", ".bin")
PART = ".part"
_PIECE = 1 << 20
_CEILING_HINT = "what was exported before is kept; a larger plan, or the next period of this one, allows more"

WeightsStatus = Literal["exported", "kept", "failed"]


class WeightsResult(Struct, frozen=True, kw_only=True):
    """What became of one target. resumed: bytes of it that an earlier run had downloaded."""

    target: WeightsTarget
    status: WeightsStatus
    held: HeldWeights | None = None
    resumed: int = 0
    why: str = ""
    hint: str | None = None


class WeightsExport(Struct, kw_only=True):
    """A run of it. told: called with the file's name, and how many of how many bytes are there.

    waiting: called with the name and the status of an export that is waited for. approved: asked before exports that
    the service charges for, with their price in CU and their number; it raises where they are not approved.
    """

    api: ScenarioApi
    record: WeightsRecord
    source: FileSource
    may_ask: Callable[[str], bool]
    clock: Clock
    told: Callable[[str, int, int | None], None]
    waiting: Callable[[str, str], None]
    approved: Callable[[float, int], None]
    _failed: dict[WeightsKey, WeightsResult] = field(default_factory=dict)
    _continued: set[WeightsKey] = field(default_factory=set)  # their export is one of an earlier run
    _priced: set[WeightsKey] = field(default_factory=set)  # their price is approved, or 0

    def run(self, targets: Sequence[WeightsTarget]) -> list[WeightsResult]:
        """One result for each target, in their order. Raises ApiError where the models cannot be read, OSError."""
        done: dict[WeightsKey, WeightsResult] = {}
        targets = self._with_own_names(targets)
        for target in targets:
            try:
                held = self._there(target)
            except (WeightsError, UnsafeFile) as error:
                self._fail(target, *_words(error))
            else:
                if held is not None:
                    done[target.key] = WeightsResult(target=target, status="kept", held=held)
        left = [target for target in targets if target.key not in done and self._is_free(target)]
        left = self._on_the_service(left) if left else []
        for target, note in self._begin_all(self._paid_for(left)):
            done[target.key] = self._result(target, note)
        done |= self._failed
        return [done[target.key] for target in targets]

    # -- what is there

    def _with_own_names(self, targets: Sequence[WeightsTarget]) -> list[WeightsTarget]:
        """A model that was trained again has its version's number, and other weights: the time tells them apart.

        So it does for names that differ in case alone, which some file systems take for the same.
        """
        named: list[WeightsTarget] = []
        taken: set[str] = set()
        for target in targets:
            owners = {self.record.owner_of(f"{target.stem}{ending}") for ending in ENDINGS} - {None, target.key}
            if owners or target.stem.casefold() in taken:
                launched = "".join(filter(str.isalnum, target.version.launched_at or ""))
                target = target._replace(stem=f"{target.stem}-{launched or target.version.id[-8:]}")
            taken.add(target.stem.casefold())
            named.append(target)
        return named

    def _there(self, target: WeightsTarget) -> HeldWeights | None:
        """The file of an earlier run, unless it is gone; one that was about to get its name gets it now."""
        held = self.record.held(target.key)
        if held is None:
            return None
        if not self.record.folder.has(held.file):
            if self._digest(target.stem + PART) != held.sha256:
                return None
            self._place(target, held.file)
        elif self._digest(held.file) != held.sha256:
            what = f"{held.file} was changed since it was exported"
            self._fail(target, what, "delete it or move it away, and export again")
            return None
        else:
            with suppress(FileNotFoundError):
                self.record.folder.unlink(target.stem + PART)
        return held

    def _is_free(self, target: WeightsTarget) -> bool:
        """Whether the name of the file is: asked before anything is spent."""
        if target.key in self._failed:
            return False
        for name in (f"{target.stem}{ending}" for ending in ENDINGS):
            if self.record.folder.has(name):
                what = f"{name} exists, and is none of the files that weights.json lists for this version"
                self._fail(target, what, "delete it or move it away: nothing is overwritten")
                return False
        return True

    def _on_the_service(self, targets: Sequence[WeightsTarget]) -> list[WeightsTarget]:
        """Those whose model is trained there, and has the epoch that is asked for."""
        models = read_models(self.api, list({target.version.id for target in targets}), images=False)
        return [target for target in targets if self._is_offered(target, models)]

    def _is_offered(self, target: WeightsTarget, models: Mapping[ModelId, RemoteModel]) -> bool:
        model = models.get(target.version.id)
        if model is None:
            self._fail(target, f"model {target.version.id} was deleted on Scenario")
            return False
        if model.status not in ("trained", None):
            self._fail(target, f"model {model.id} is {model.status} on Scenario, not trained")
            return False
        if target.epoch is None:
            return True
        epochs = model.epochs if model.epochs is not None else self.api.get_model(model.id).epochs
        names = None if epochs is None else [epoch.name for epoch in epochs]
        if names is not None and target.epoch not in names:
            hint = f"its epochs: {', '.join(names[:50])}" if names else "only some types keep epochs; leave out --epoch"
            self._fail(target, f"version {target.version.number} has no epoch {target.epoch}", hint)
            return False
        return True

    # -- exports and files

    def _paid_for(self, targets: Sequence[WeightsTarget]) -> list[WeightsTarget]:
        """Those that cost nothing, were begun before, or whose price is approved; the others are refused by then."""
        prices: list[float] = []
        for target in targets:
            known = self.record.begun(target.key) or self.record.held(target.key)
            if known is not None and known.job_id is not None:
                continue
            try:
                prices.append(self.api.quote_weights(target.version.id, target.epoch))
                self._priced.add(target.key)
            except PlanCeiling as error:
                self._fail(target, error.message, _CEILING_HINT)
            except ApiError as error:
                self._fail(target, *_words(error))
        charged = [price for price in prices if price > 0]
        if charged:
            self.approved(sum(charged), len(charged))
        return [target for target in targets if target.key not in self._failed]

    def _approve_again(self, target: WeightsTarget) -> None:
        """Before an export in place of one that the service does not know any more."""
        if target.key in self._priced:
            self._priced.remove(target.key)
        elif (price := self.api.quote_weights(target.version.id, target.epoch)) > 0:
            self.approved(price, 1)

    def _begin_all(self, targets: Iterable[WeightsTarget]) -> list[tuple[WeightsTarget, BegunWeights]]:
        """Every export that could be begun. After a limit of the account no other one is tried."""
        begun: list[tuple[WeightsTarget, BegunWeights]] = []
        ceiling: PlanCeiling | None = None
        for target in targets:
            try:
                if ceiling is not None and self.record.begun(target.key) is None:
                    self._fail(target, f"not begun, because the account's limit was reached ({ceiling.action})")
                    continue
                note = self._note(target)
                before = self.record.begun(target.key)
                note = self._jobs(target).begin(note)
                begun.append((target, note))
                if before is not None and before.job_id == note.job_id:
                    self._continued.add(target.key)
            except PlanCeiling as error:
                ceiling = error
                self._fail(target, error.message, _CEILING_HINT)
            except ScenarioApplyError as error:
                self._fail(target, *_words(error))
        return begun

    def _note(self, target: WeightsTarget) -> BegunWeights:
        """The export as it is to be noted. That of a file that is gone is asked for its file once more."""
        version = target.version
        held = self.record.held(target.key)
        now = iso(self.clock.now())
        model_id, training, epoch = target.key
        note = BegunWeights(
            address=target.address, version=version.number, model_id=model_id, training=training, epoch=epoch, at=now
        )
        if held is not None and self.record.begun(target.key) is None:
            self.record.begin(replace(note, job_id=held.job_id))
        return note

    def _result(self, target: WeightsTarget, note: BegunWeights) -> WeightsResult:
        try:
            try:
                return self._exported(target, note)
            except (JobGone, AddressesGone):
                if target.key not in self._continued:
                    raise
                self.record.give_up(target.key)
                return self._exported(target, self._jobs(target).begin(replace(note, job_id=None)))
        except (ScenarioApplyError, UnsafeFile) as error:
            self._fail(target, *_words(error))
            return self._failed[target.key]

    def _exported(self, target: WeightsTarget, note: BegunWeights) -> WeightsResult:
        jobs, part = self._jobs(target), target.stem + PART
        first: list[Secret] = [jobs.address(note)]

        def address() -> Secret:
            return first.pop() if first else jobs.address(note)

        download = FileDownload(
            source=self.source,
            clock=self.clock,
            folder=self.record.folder,
            part=part,
            address=address,
            may_ask=self.may_ask,
            stated=Stated(note.etag, note.size),
            note=lambda stated: self.record.begin(replace(note, etag=stated.etag, size=stated.size)),
            told=lambda there, total: self.told(target.stem, there, total),
        )
        whole = download.run()
        held = self._held(target, note, whole)
        self.record.keep(held)
        self._place(target, held.file)
        return WeightsResult(target=target, status="exported", held=held, resumed=whole.resumed)

    def _held(self, target: WeightsTarget, note: BegunWeights, whole: WholeFile) -> HeldWeights:
        folder, part = self.record.folder, target.stem + PART
        assert note.job_id is not None
        with os.fdopen(folder.open(part, os.O_RDONLY), "rb") as file:
            try:
                ending = ending_of_weights(file, whole.size)
            except WeightsError:
                folder.unlink(part)
                raise
        return HeldWeights(
            address=note.address,
            version=note.version,
            model_id=note.model_id,
            training=note.training,
            epoch=note.epoch,
            file=target.stem + ending,
            sha256=whole.sha256,
            size=whole.size,
            at=iso(self.clock.now()),
            job_id=note.job_id,
        )

    def _place(self, target: WeightsTarget, name: str) -> None:
        folder, part = self.record.folder, target.stem + PART
        try:
            folder.link(part, name)
        except FileExistsError:
            raise WeightsError(
                f"{name} exists, and is not overwritten", hint="move it away, and export again"
            ) from None
        with suppress(FileNotFoundError):  # where the file system has no hard links
            folder.unlink(part)
        folder.sync()

    def _digest(self, name: str) -> str | None:
        """Of a file; None where there is none."""
        digest = sha256()
        try:
            with os.fdopen(self.record.folder.open(name, os.O_RDONLY), "rb") as file:
                while piece := file.read(_PIECE):
                    digest.update(piece)
        except FileNotFoundError:
            return None
        return digest.hexdigest()

    def _jobs(self, target: WeightsTarget) -> WeightsJobs:
        return WeightsJobs(
            api=self.api,
            record=self.record,
            clock=self.clock,
            waiting=lambda status: self.waiting(target.stem, status),
            approve=lambda: self._approve_again(target),
        )

    def _fail(self, target: WeightsTarget, why: str, hint: str | None = None) -> None:
        self._failed[target.key] = WeightsResult(target=target, status="failed", why=why, hint=hint)


def _words(error: ScenarioApplyError | UnsafeFile) -> tuple[str, str | None]:
    """What an error says, and its hint."""
    if isinstance(error, UnsafeFile):
        return str(error.strerror), error.hint
    return error.message, error.problems[0].hint
