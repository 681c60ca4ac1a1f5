"""Desired x recorded x observed -> a verdict per resource, each with its reasons. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from scenario_apply.dataset.digest import digest_of
from scenario_apply.dataset.types import Contents
from scenario_apply.errors import Diagnostic
from scenario_apply.manifest.spec import CompositionSpec, ModelSpec
from scenario_apply.model.address import Address
from scenario_apply.model.queue_wait import QUEUED_LONG_HINT, queued_too_long, queued_words
from scenario_apply.model.remote import RemoteModel
from scenario_apply.planning.attributes import (
    LabelChange,
    Spec,
    arithmetic,
    declared_attributes,
    label_change,
    recorded_attributes,
)
from scenario_apply.planning.changes import Action, Change, Drift
from scenario_apply.planning.composition_parts import Parts, renewed_parts, resolve_parts
from scenario_apply.planning.content_diff import ContentDiff, compare_contents, content_reasons
from scenario_apply.planning.decision import Decision, StateEdit, untouched
from scenario_apply.planning.dependency_graph import ordered
from scenario_apply.planning.desired import Desired
from scenario_apply.planning.ignore_changes import as_recorded, is_drift_ignored
from scenario_apply.planning.import_blocks import imported, taken_address
from scenario_apply.planning.observed import Observed, content_drift
from scenario_apply.planning.reasons import edit_reasons, manual_note, move_reasons, relabelled
from scenario_apply.planning.up_to_date import NO_DIFFERENCE, UpToDate
from scenario_apply.state.state import Record, State, Version


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRequestOptions:
    """What the command line asked for beyond the manifest. selected None: everything."""

    replace: frozenset[Address] = frozenset()
    train: frozenset[Address] = frozenset()
    selected: frozenset[Address] | None = None
    destroy: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Diff:
    """verdicts in the order of their needs; problems that are errors stop the plan."""

    verdicts: Mapping[Address, Decision]
    drift: tuple[Drift, ...] = ()
    problems: tuple[Diagnostic, ...] = ()


def diff(
    desired: Desired, state: State, observed: Observed, wishes: PlanRequestOptions, *, now: float | None = None
) -> Diff:
    """Judge every resource that is declared or recorded. state is already settled against observed.

    now: seconds since the epoch; without it nothing is said to take too long.
    """
    return _Judge(desired, state, observed, wishes, now).all()


def desired_fingerprint(desired: Desired, state: State, address: Address, version: Version) -> str | None:
    """What the manifest asks of a resource now, in a version's own algorithm; None where it is not declared."""
    spec = desired.specs.get(address)
    if spec is None:
        return None
    spec = as_recorded(spec, version)
    judge = _Judge(desired, state, Observed(), PlanRequestOptions())
    parts = Parts()
    if isinstance(spec, CompositionSpec):
        judge.all()
        parts = resolve_parts(spec, state.records.get(address), state, Observed(), judge.verdicts)
    return judge.wanted.fingerprint_of(spec, version, parts)


class _Judge:
    """One pass over all resources; later ones see what was decided of those they need."""

    def __init__(
        self, desired: Desired, state: State, observed: Observed, wishes: PlanRequestOptions, now: float | None = None
    ) -> None:
        self.desired = desired
        self.now = now
        self.wanted = UpToDate(desired)
        self.state = state
        self.observed = observed
        self.wishes = wishes
        self.verdicts: dict[Address, Decision] = {}
        self.drift: list[Drift] = []
        self.problems: list[Diagnostic] = []
        self.imports = {block.target: block for block in desired.imports}
        self.moves = {
            move.target: move.source
            for move in desired.moved
            if move.source in state.records and move.target not in state.records and move.target in desired.specs
        }

    def all(self) -> Diff:
        if not self.wishes.destroy:
            for address in ordered(self.desired.needs):
                self.verdicts[address] = self.judge_declared(address, self.desired.specs[address])
        forgotten = set() if self.wishes.destroy else {removed.source for removed in self.desired.removed}
        moved_away = set() if self.wishes.destroy else set(self.moves.values())
        # compositions first: what they are made of goes after them
        for address in sorted(self.state.records, key=lambda a: (a.kind != "composition", a)):
            if address in self.verdicts or address in moved_away:
                continue
            record = self.state.records[address]
            if address in forgotten and self.is_selected(address):
                change = Change(address=address, action=Action.FORGET, reasons=("removed: says to forget it",))
                self.verdicts[address] = Decision(change=change, record=record, edit=StateEdit(forget=True))
            else:
                self.verdicts[address] = self.judge_undeclared(address, record)
        return Diff(verdicts=self.verdicts, drift=tuple(self.drift), problems=tuple(self.problems))

    # -- recorded, no longer declared

    def judge_undeclared(self, address: Address, record: Record) -> Decision:
        if not self.is_selected(address):
            return untouched(address, None, record, "not selected")
        reason = "destroy" if self.wishes.destroy else "no longer declared"
        if record.protected:
            self.problems.append(
                Diagnostic(
                    code="protected",
                    message=f"{address} is protected against being deleted ({reason})",
                    hint="declare it with lifecycle.prevent_destroy: false and apply; then remove it",
                )
            )
            return untouched(address, None, record, "protected: prevent_destroy is recorded in the state")
        gone = all(self.observed.is_gone(version.id) for version in record.versions())
        change = Change(
            address=address,
            action=Action.FORGET if gone else Action.DELETE,
            change_class="free" if gone else "metadata",
            reasons=(reason, "it is gone on the service") if gone else (reason,),
            before=recorded_attributes(record.working),
            image_count=len(record.working.images),
        )
        if gone:
            return Decision(change=change, record=record, edit=StateEdit(forget=True))
        return Decision(change=change, record=record, delete=tuple(record.versions()))

    # -- declared

    def judge_declared(self, address: Address, spec: Spec) -> Decision:
        moved_from = self.moves.get(address)
        record = self.state.records.get(moved_from or address)
        if not self.is_selected(address):
            return untouched(address, spec, record, "not selected")
        if not spec.enabled:
            return untouched(address, spec, record, "enabled: false")
        edit = StateEdit(moved_from=moved_from)
        block = self.imports.get(address)
        if block is not None and record is not None and (taken := taken_address(block, record)) is not None:
            self.problems.append(taken)
            return untouched(address, spec, record, taken.message)
        if record is None and block is not None:
            found = imported(block, spec, self.desired.contents_of(spec), self.state, self.observed)
            if isinstance(found, Diagnostic):
                self.problems.append(found)
                return untouched(address, spec, None, found.message)
            record, edit = found, replace(edit, record=found)
        parts = Parts()
        if record is not None and not self.is_gone(record):
            spec = as_recorded(spec, record.working)
        if isinstance(spec, CompositionSpec):
            parts = resolve_parts(spec, record, self.state, self.observed, self.verdicts)
            if parts.problems:
                self.problems += parts.problems
                return untouched(address, spec, record, parts.problems[0].message)
        # of one that is not recorded yet, the creation records the protection
        protect = spec.lifecycle.prevent_destroy
        if record is not None and protect is not None and protect != record.protected:
            edit = replace(edit, protect=protect)
        if record is None or self.is_gone(record):
            verdict = self.judge_new(address, spec, record, edit)
        else:
            verdict = self.judge_recorded(address, spec, record, parts, edit)
        if edit.record is not None:
            verdict = self.importing(verdict, edit.record)
        return replace(verdict, parts=parts.concepts)

    def importing(self, verdict: Decision, record: Record) -> Decision:
        """The verdict of a resource that is imported first: nothing else to do is an import by itself."""
        change = verdict.change
        reason = f"{record.current.id} is imported: images of the manifest's names are taken to be the same pictures"
        if change.action is Action.NONE:
            change = replace(change, action=Action.IMPORT, before=None, reasons=(reason,))
        else:
            change = replace(change, reasons=(reason, *change.reasons))
        return replace(verdict, change=change)

    def is_gone(self, record: Record) -> bool:
        return record.pending is None and self.observed.is_gone(record.current.id)

    def judge_new(self, address: Address, spec: Spec, gone: Record | None, edit: StateEdit) -> Decision:
        reason = "not in the state"
        if gone is not None:
            reason = f"its model {gone.current.id} was deleted on the service"
            self.drift.append(Drift(address=address, what="model", recorded=gone.current.id))
            edit = replace(edit, gone=True)
        contents = self.desired.contents_of(spec)
        return self.with_work(
            address,
            spec,
            gone,
            contents,
            edit,
            action=Action.CREATE,
            reasons=(reason,),
            content=compare_contents(contents, None),
            fresh=True,
            before=None,
        )

    def judge_recorded(self, address: Address, spec: Spec, record: Record, parts: Parts, edit: StateEdit) -> Decision:
        if record.held is not None:
            if record.held == self.wanted.fingerprint_of(spec, record.current, parts, like=record.held):
                note = f"a rollback holds it at version {record.current.number}; rollback --lift {address} ends that"
                labels = label_change(spec, record.current, self.observed.models.get(record.current.id))
                return self.judge_labels(address, spec, record, labels, edit, note)
            edit = replace(edit, unhold=True)
        if record.working.phase == "training":
            return self.judge_running(address, spec, record, parts, edit)
        is_back = self.wanted.is_what_is_wanted(spec, record.current, parts) and not self.observed.is_gone(
            record.current.id
        )
        if record.pending is not None and is_back:
            edit = replace(edit, discard_pending=True)  # the manifest is back at what is trained
            record = record.without_pending()
        earlier = self.trained_earlier(address, spec, record, parts)
        if earlier is not None:
            edit = replace(edit, revive=earlier.number)
            record = record.revived(earlier.number)
        version = record.working
        labels = label_change(spec, version, self.observed.models.get(version.id))
        if not version.is_usable:
            return self.judge_unfinished(address, spec, record, labels, edit)
        reasons, content = self.content_changes(spec, version, parts)
        reasons += self.drift_reasons(address, spec, record)
        if address in self.wishes.replace:
            reasons.insert(0, "asked for with --replace")
        on_change = spec.lifecycle.on_change or ("retrain" if isinstance(spec, CompositionSpec) else "replace")
        if address in self.wishes.replace or (version.type != spec.type and on_change != "keep"):
            on_change = "replace"
        if not reasons or on_change == "keep" or not self.may_train(address, spec):
            why = manual_note(address) if on_change != "keep" else "on_change: keep"
            return self.judge_labels(
                address, spec, record, labels, edit, *([f"{why} (changed: {'; '.join(reasons)})"] if reasons else [])
            )
        fresh = on_change == "replace"
        return self.with_work(
            address,
            spec,
            record,
            self.wanted.contents_for(spec, version),
            edit,
            action=Action.REPLACE if fresh else Action.RETRAIN,
            reasons=(*reasons, *labels.reasons),
            content=content,
            fresh=fresh,
            before=version,
            labels=LabelChange() if fresh else labels,
        )

    def trained_earlier(self, address: Address, spec: Spec, record: Record, parts: Parts) -> Version | None:
        """A kept version that was trained on exactly what is wanted now: to train it again would be to pay twice."""
        replaces = isinstance(spec, ModelSpec) and spec.lifecycle.on_change in (None, "replace")
        if not replaces or address in self.wishes.replace or record.pending is not None:
            return None
        if not record.current.is_usable or self.wanted.is_what_is_wanted(spec, record.current, parts):
            return None
        for version in record.previous:
            if version.is_usable and self.wanted.is_what_is_wanted(spec, version, parts):
                return None if self.observed.is_gone(version.id) else version
        return None

    def judge_running(self, address: Address, spec: Spec, record: Record, parts: Parts, edit: StateEdit) -> Decision:
        version = record.working
        changed = version.fingerprint is not None and not self.wanted.is_what_is_wanted(spec, version, parts)
        remote = self.observed.models.get(version.id)
        labels = label_change(spec, version, remote)
        queued = None if remote is None else self.queued(address, spec, version, remote)
        change = Change(
            address=address,
            action=Action.WAIT,
            change_class="metadata" if labels else "free",
            reasons=(f"its training is {queued or 'running'}", *labels.reasons),
            notes=("the manifest changed since: apply again when this training has ended",) if changed else (),
            before=recorded_attributes(version),
            after=relabelled(version, spec, labels),
            image_count=len(version.images),
            place=spec.place,
        )
        return Decision(change=change, spec=spec, record=record, wait=True, labels=labels, edit=edit)

    def queued(self, address: Address, spec: Spec, version: Version, remote: RemoteModel) -> str | None:
        """Where its training stands in the queue; a warning where it stands there for long."""
        words = queued_words(remote.status or "", remote.progress, version.launched_at)
        too_long = None if self.now is None else queued_too_long(version.launched_at, self.now)
        if words is not None and too_long is not None:
            what = f"the training of {address} {too_long}"
            self.problems.append(
                Diagnostic(
                    code="queued-long", severity="warning", message=what, location=spec.place, hint=QUEUED_LONG_HINT
                )
            )
        return words

    def judge_unfinished(
        self, address: Address, spec: Spec, record: Record, labels: LabelChange, edit: StateEdit
    ) -> Decision:
        """A version that was never trained, or whose training failed: completed in place unless its type changed."""
        version = record.working
        contents = self.wanted.contents_for(spec, version)
        content = compare_contents(contents, version)
        drifted = self.drift_reasons(address, spec, record)
        launched = version.phase in ("failed", "canceled")
        asked = address in self.wishes.replace
        fresh = version.type != spec.type or asked
        if not (self.may_train(address, spec) or content or drifted or labels or fresh or edit):
            return untouched(address, spec, record, manual_note(address))
        reasons = ["created earlier, not trained yet"]
        if launched:
            reasons = [version.reason or f"its training ended as {version.phase}"]
            reasons += self.wanted.parameters_changed(spec, version)
        if version.type != spec.type:
            reasons.append(f"type {version.type} -> {spec.type}")
        if asked:
            reasons.insert(0, "asked for with --replace")
        action = Action.RETRAIN if launched else Action.CREATE
        if fresh or record.pending is not None:
            action = Action.REPLACE
        elif not self.may_train(address, spec):
            action = Action.UPDATE
        return self.with_work(
            address,
            spec,
            record,
            contents,
            edit,
            action=action,
            reasons=(*reasons, *content_reasons(content), *drifted, *labels.reasons),
            content=content,
            fresh=fresh,
            before=version,
            labels=LabelChange() if fresh else labels,
        )

    def judge_labels(
        self,
        address: Address,
        spec: Spec,
        record: Record,
        labels: LabelChange,
        edit: StateEdit,
        *notes: str,
    ) -> Decision:
        """What is left when nothing is trained: labels, protection, a move. notes: why nothing is."""
        version = record.current
        reasons = [*labels.reasons, *edit_reasons(edit)]
        if edit.discard_pending:
            reasons.insert(0, "the manifest is back at what is trained")
        if edit.revive is not None:
            reasons.insert(0, f"version {edit.revive} was trained on exactly this: it is current again, 0 CU")
        action = Action.UPDATE if reasons else Action.NONE if edit.moved_from is None else Action.MOVE
        reasons += move_reasons(edit)
        change = Change(
            address=address,
            action=action,
            change_class="metadata" if labels else "free",
            reasons=tuple(reasons),
            notes=notes,
            before=recorded_attributes(version),
            after=relabelled(version, spec, labels),
            image_count=len(version.images),
            previous_address=edit.moved_from,
            place=spec.place,
        )
        return Decision(change=change, spec=spec, record=record, labels=labels, edit=edit)

    # -- pieces

    def with_work(
        self,
        address: Address,
        spec: Spec,
        record: Record | None,
        contents: Contents,
        edit: StateEdit,
        *,
        action: Action,
        reasons: tuple[str, ...],
        content: ContentDiff,
        fresh: bool,
        before: Version | None,
        labels: LabelChange | None = None,
    ) -> Decision:
        """The verdict of a resource whose content is brought into line and, unless it is manual, trained."""
        trains = self.may_train(address, spec)
        if fresh and record is not None and record.pending is not None:
            edit = replace(edit, discard_pending=True)
        dataset = self.desired.dataset_of(spec)
        digest = None if dataset is None else dataset.digest
        if "captions" in spec.lifecycle.ignore_changes and before is not None and digest is not None:
            digest = digest_of(contents)
        change = Change(
            address=address,
            action=action,
            change_class="training" if trains else "metadata",
            reasons=reasons,
            notes=(*(() if trains else (manual_note(address),)), *edit_reasons(edit), *move_reasons(edit)),
            before=None if before is None else recorded_attributes(before),
            after=declared_attributes(spec),
            images=content.images,
            captions=content.captions,
            image_count=len(contents.images),
            arithmetic=arithmetic(spec, len(contents.images), len(contents.pairs)),
            previous_address=edit.moved_from,
            place=spec.place,
        )
        return Decision(
            change=change,
            spec=spec,
            record=record,
            contents=contents,
            dataset_digest=digest,
            fresh=fresh,
            work=True,
            train=trains,
            wait=trains,
            labels=labels or LabelChange(),
            edit=edit,
        )

    def is_selected(self, address: Address) -> bool:
        return self.wishes.selected is None or address in self.wishes.selected

    def may_train(self, address: Address, spec: Spec) -> bool:
        return spec.lifecycle.train == "auto" or address in self.wishes.train or address in self.wishes.replace

    def content_changes(self, spec: Spec, version: Version, parts: Parts) -> tuple[list[str], ContentDiff]:
        """Why a trained version is not what is wanted; no reason when it is."""
        renewed = (
            renewed_parts(spec, version, parts.concepts, self.verdicts) if isinstance(spec, CompositionSpec) else []
        )
        if not renewed and self.wanted.is_what_is_wanted(spec, version, parts):
            return [], NO_DIFFERENCE
        reasons, content = self.wanted.differences(spec, version, parts)
        if renewed:
            reasons = renewed
        if not reasons and version.fingerprint is not None:
            reasons.append("what it was trained on differs")
        return reasons, content

    def drift_reasons(self, address: Address, spec: Spec, record: Record) -> list[str]:
        """Drift of a version's content, as reasons to make it anew or set it back; labels are compared elsewhere."""
        remote = self.observed.models.get(record.working.id)
        if remote is None:
            return []
        found = [item for item in content_drift(address, record, remote) if not is_drift_ignored(item, spec)]
        self.drift += found
        reasons = []
        for item in found:
            if item.what == "caption":
                reasons.append(f"the caption of {item.path} was changed on the service")
            elif item.what == "image":
                reasons.append(f"image {item.path} was {'removed' if item.recorded else 'added'} on the service")
        return reasons
