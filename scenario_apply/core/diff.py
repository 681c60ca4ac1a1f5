"""Desired x recorded x observed -> a verdict per resource, each with its reasons. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from scenario_apply.core.address import Address
from scenario_apply.core.attributes import (
    LabelChange,
    Spec,
    arithmetic,
    declared_attributes,
    declared_parameters,
    label_change,
    recorded_attributes,
)
from scenario_apply.core.changes import Action, Change, Drift
from scenario_apply.core.composing import Parts, part_reasons, renewed_parts, resolve_parts
from scenario_apply.core.content import (
    ContentDiff,
    compare_contents,
    content_reasons,
    ignoring_captions,
    parameter_reasons,
)
from scenario_apply.core.dataset.digest import digest_of
from scenario_apply.core.dataset.types import Contents
from scenario_apply.core.desired import Desired
from scenario_apply.core.fingerprint import fingerprint
from scenario_apply.core.graph import ordered
from scenario_apply.core.importing import imported
from scenario_apply.core.manifest.spec import CompositionSpec
from scenario_apply.core.observed import Observed, content_drift
from scenario_apply.core.state import Record, State, Version
from scenario_apply.core.verdict import StateEdit, Verdict, untouched
from scenario_apply.errors import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the command line asked for beyond the manifest. selected None: everything."""

    replace: frozenset[Address] = frozenset()
    train: frozenset[Address] = frozenset()
    selected: frozenset[Address] | None = None
    destroy: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Diff:
    """verdicts in the order of their needs; problems that are errors stop the plan."""

    verdicts: Mapping[Address, Verdict]
    drift: tuple[Drift, ...] = ()
    problems: tuple[Problem, ...] = ()


def diff(desired: Desired, state: State, observed: Observed, wishes: Wishes) -> Diff:
    """Judge every resource that is declared or recorded. state is already settled against observed."""
    return _Judge(desired, state, observed, wishes).all()


def desired_fingerprint(desired: Desired, state: State, address: Address, version: Version) -> str | None:
    """What the manifest asks of a resource now, in a version's own algorithm; None where it is not declared."""
    spec = desired.specs.get(address)
    if spec is None:
        return None
    judge = _Judge(desired, state, Observed(), Wishes())
    parts = Parts()
    if isinstance(spec, CompositionSpec):
        judge.all()
        parts = resolve_parts(spec, state.records.get(address), state, Observed(), judge.verdicts)
    return judge.fingerprint_of(spec, version, parts)


class _Judge:
    """One pass over all resources; later ones see what was decided of those they need."""

    def __init__(self, desired: Desired, state: State, observed: Observed, wishes: Wishes) -> None:
        self.desired = desired
        self.state = state
        self.observed = observed
        self.wishes = wishes
        self.verdicts: dict[Address, Verdict] = {}
        self.drift: list[Drift] = []
        self.problems: list[Problem] = []
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
            if address in forgotten:
                change = Change(address=address, action=Action.FORGET, reasons=("removed: says to forget it",))
                self.verdicts[address] = Verdict(change=change, record=record, edit=StateEdit(forget=True))
            else:
                self.verdicts[address] = self.judge_undeclared(address, record)
        return Diff(verdicts=self.verdicts, drift=tuple(self.drift), problems=tuple(self.problems))

    # -- recorded, no longer declared

    def judge_undeclared(self, address: Address, record: Record) -> Verdict:
        if not self.is_selected(address):
            return untouched(address, None, record, "not selected")
        reason = "destroy" if self.wishes.destroy else "no longer declared"
        if record.protected:
            self.problems.append(
                Problem(
                    code="protected",
                    what=f"{address} is protected against being deleted ({reason})",
                    mend="declare it with lifecycle.prevent_destroy: false and apply; then remove it",
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
            return Verdict(change=change, record=record, edit=StateEdit(forget=True))
        return Verdict(change=change, record=record, delete=tuple(record.versions()))

    # -- declared

    def judge_declared(self, address: Address, spec: Spec) -> Verdict:
        moved_from = self.moves.get(address)
        record = self.state.records.get(moved_from or address)
        if not self.is_selected(address):
            return untouched(address, spec, record, "not selected")
        if not spec.enabled:
            return untouched(address, spec, record, "enabled: false")
        edit = StateEdit(moved_from=moved_from)
        if record is None and address in self.imports:
            found = imported(self.imports[address], spec, self.desired.contents_of(spec), self.state, self.observed)
            if isinstance(found, Problem):
                self.problems.append(found)
                return untouched(address, spec, None, found.what)
            record, edit = found, replace(edit, record=found)
        parts = Parts()
        if isinstance(spec, CompositionSpec):
            parts = resolve_parts(spec, record, self.state, self.observed, self.verdicts)
            if parts.problems:
                self.problems += parts.problems
                return untouched(address, spec, record, parts.problems[0].what)
        # of one that is not recorded yet, the creation records the protection
        if record is not None and spec.lifecycle.prevent_destroy != record.protected:
            edit = replace(edit, protect=spec.lifecycle.prevent_destroy)
        if record is None or self.is_gone(record):
            verdict = self.judge_new(address, spec, record, edit)
        else:
            verdict = self.judge_recorded(address, spec, record, parts, edit)
        if edit.record is not None:
            verdict = self.importing(verdict, edit.record)
        return replace(verdict, parts=parts.concepts)

    def importing(self, verdict: Verdict, record: Record) -> Verdict:
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

    def judge_new(self, address: Address, spec: Spec, gone: Record | None, edit: StateEdit) -> Verdict:
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

    def judge_recorded(self, address: Address, spec: Spec, record: Record, parts: Parts, edit: StateEdit) -> Verdict:
        if record.held is not None:
            if record.held == self.fingerprint_of(spec, record.current, parts, like=record.held):
                note = f"a rollback holds it at version {record.current.number}; rollback --lift {address} ends that"
                return untouched(address, spec, record, note)
            edit = replace(edit, unhold=True)
        if record.working.phase == "training":
            return self.judge_running(address, spec, record, parts, edit)
        if record.pending is not None and self.is_what_is_wanted(spec, record.current, parts):
            edit = replace(edit, discard_pending=True)
            record = replace(record, pending=None, previous=(record.pending, *record.previous))
        version = record.working
        labels = label_change(spec, version, self.observed.models.get(version.id))
        if not version.is_usable:
            return self.judge_unfinished(address, spec, record, labels, edit)
        reasons, content = self.content_changes(spec, version, parts)
        reasons += self.drift_reasons(address, spec, record)
        if address in self.wishes.replace:
            reasons.insert(0, "asked for with --replace")
        on_change = spec.lifecycle.on_change or ("retrain" if isinstance(spec, CompositionSpec) else "replace")
        if address in self.wishes.replace or version.type != spec.type:
            on_change = "replace"
        if not reasons or on_change == "keep" or not self.may_train(address, spec):
            return self.judge_labels(address, spec, record, labels, edit, tuple(reasons))
        fresh = on_change == "replace"
        return self.with_work(
            address,
            spec,
            record,
            self.contents_for(spec, version),
            edit,
            action=Action.REPLACE if fresh else Action.RETRAIN,
            reasons=(*reasons, *(() if fresh else labels.reasons)),
            content=content,
            fresh=fresh,
            before=version,
            labels=LabelChange() if fresh else labels,
        )

    def judge_running(self, address: Address, spec: Spec, record: Record, parts: Parts, edit: StateEdit) -> Verdict:
        version = record.working
        changed = version.fingerprint is not None and not self.is_what_is_wanted(spec, version, parts)
        change = Change(
            address=address,
            action=Action.WAIT,
            reasons=("its training is running",),
            notes=("the manifest changed since: apply again when this training has ended",) if changed else (),
            before=recorded_attributes(version),
            after=recorded_attributes(version),
            image_count=len(version.images),
            place=spec.place,
        )
        return Verdict(change=change, spec=spec, record=record, wait=True, edit=edit)

    def judge_unfinished(
        self, address: Address, spec: Spec, record: Record, labels: LabelChange, edit: StateEdit
    ) -> Verdict:
        """A version that was never trained, or whose training failed: completed in place unless its type changed."""
        version = record.working
        contents = self.contents_for(spec, version)
        content = compare_contents(contents, version)
        launched = version.phase in ("failed", "canceled")
        fresh = version.type != spec.type
        if not (self.may_train(address, spec) or content or labels or fresh or edit):
            return untouched(address, spec, record, _manual_note(address))
        reasons = ["created earlier, not trained yet"]
        if launched:
            reasons = [version.reason or f"its training ended as {version.phase}"]
            reasons += parameter_reasons(declared_parameters(spec), version.parameters)
        if fresh:
            reasons.append(f"type {version.type} -> {spec.type}")
        action = Action.RETRAIN if launched else Action.CREATE
        if fresh or record.pending is not None:
            action = Action.REPLACE
        return self.with_work(
            address,
            spec,
            record,
            contents,
            edit,
            action=action,
            reasons=(*reasons, *content_reasons(content), *labels.reasons),
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
        kept: tuple[str, ...],
    ) -> Verdict:
        """What is left when nothing is trained: labels, protection, a move. kept: changes that train nothing."""
        version = record.current
        notes: tuple[str, ...] = ()
        if kept:
            why = _manual_note(address) if spec.lifecycle.on_change != "keep" else "on_change: keep"
            notes = (f"{why} (changed: {'; '.join(kept)})",)
        reasons = list(labels.reasons)
        if edit.protect is not None:
            reasons.append("protection against deletes is " + ("recorded" if edit.protect else "lifted"))
        if edit.unhold:
            reasons.append("the rollback's hold ends: its part of the manifest changed")
        if edit.discard_pending:
            reasons.append("the manifest is back at what is trained: the unfinished replacement is given up")
        action = Action.UPDATE if reasons else Action.NONE
        if edit.moved_from is not None:
            action = action if reasons else Action.MOVE
            reasons.append(f"moved from {edit.moved_from}")
        before = recorded_attributes(version)
        after = {**before, **labels.labels}
        if labels.tags_add or labels.tags_delete:
            after["tags"] = list(spec.tags)
        change = Change(
            address=address,
            action=action,
            change_class="metadata" if labels else "free",
            reasons=tuple(reasons),
            notes=notes,
            before=before,
            after=after,
            image_count=len(version.images),
            previous_address=edit.moved_from,
            place=spec.place,
        )
        return Verdict(change=change, spec=spec, record=record, labels=labels, edit=edit)

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
    ) -> Verdict:
        """The verdict of a resource whose content is brought into line and, unless it is manual, trained."""
        trains = self.may_train(address, spec)
        if fresh and record is not None and record.pending is not None:
            edit = replace(edit, discard_pending=True)
        dataset = self.desired.dataset_of(spec)
        digest = None if dataset is None else dataset.digest
        if "captions" in spec.lifecycle.ignore_changes and before is not None:
            digest = digest_of(contents)
        change = Change(
            address=address,
            action=action,
            change_class="training",
            reasons=reasons,
            notes=() if trains else (_manual_note(address),),
            before=None if before is None else recorded_attributes(before),
            after=declared_attributes(spec),
            images=content.images,
            captions=content.captions,
            image_count=len(contents.images),
            arithmetic=arithmetic(spec, len(contents.images), len(contents.pairs)),
            previous_address=edit.moved_from,
            place=spec.place,
        )
        return Verdict(
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

    def contents_for(self, spec: Spec, version: Version) -> Contents:
        contents = self.desired.contents_of(spec)
        if "captions" in spec.lifecycle.ignore_changes:
            return replace(contents, images=ignoring_captions(contents.images, version))
        return contents

    def is_what_is_wanted(self, spec: Spec, version: Version, parts: Parts) -> bool:
        return version.fingerprint is not None and self.fingerprint_of(spec, version, parts) == version.fingerprint

    def fingerprint_of(self, spec: Spec, version: Version, parts: Parts, like: str | None = None) -> str | None:
        """The desired fingerprint in the record's own algorithm; None when a part's id is not known yet."""
        ignored = spec.lifecycle.ignore_changes
        if not parts.are_known:
            return None
        if "images" in ignored:
            return version.fingerprint
        dataset = self.desired.dataset_of(spec)
        digest = None if dataset is None else dataset.digest
        if digest is not None and "captions" in ignored:
            digest = digest_of(self.contents_for(spec, version))
        parameters = dict(declared_parameters(spec))
        if "parameters" in ignored:
            parameters = dict(version.parameters)
        for name in (key.partition(".")[2] for key in ignored if key.startswith("parameters.")):
            parameters.pop(name, None)
            if name in version.parameters:
                parameters[name] = version.parameters[name]
        return fingerprint(
            type=version.type if "type" in ignored else spec.type,
            parameters=parameters,
            dataset=digest,
            concepts=parts.concepts,
            like=like or version.fingerprint,
        )

    def content_changes(self, spec: Spec, version: Version, parts: Parts) -> tuple[list[str], ContentDiff]:
        """Why a trained version is not what is wanted; no reason when it is."""
        unchanged = compare_contents(Contents(images=()), None)
        renewed = (
            renewed_parts(spec, version, parts.concepts, self.verdicts) if isinstance(spec, CompositionSpec) else []
        )
        if not renewed and self.is_what_is_wanted(spec, version, parts):
            return [], unchanged
        if isinstance(spec, CompositionSpec):
            content, own = unchanged, renewed or part_reasons(version, parts.concepts)
        else:
            content = compare_contents(self.contents_for(spec, version), version)
            own = parameter_reasons(declared_parameters(spec), version.parameters) + content_reasons(content)
        reasons = [] if version.type == spec.type else [f"type {version.type} -> {spec.type}"]
        reasons += own
        if not reasons and version.fingerprint is not None:
            reasons.append("what it was trained on differs")
        return reasons, content

    def drift_reasons(self, address: Address, spec: Spec, record: Record) -> list[str]:
        """Drift of a trained version's content, as reasons to make it anew; labels are compared elsewhere."""
        remote = self.observed.models.get(record.working.id)
        if remote is None or record.pending is not None:
            return []
        found = content_drift(address, record, remote)
        self.drift += found
        reasons = []
        for item in found:
            if item.what == "caption" and "captions" not in spec.lifecycle.ignore_changes:
                reasons.append(f"the caption of {item.path} was changed on the service")
            elif item.what == "image" and "images" not in spec.lifecycle.ignore_changes:
                reasons.append(f"image {item.path} was {'removed' if item.recorded else 'added'} on the service")
        return reasons


def _manual_note(address: Address) -> str:
    return f"train: manual, trained only with --train {address}"
