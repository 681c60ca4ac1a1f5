"""validate --fix: repairs caption files. Shows the difference, asks, and writes what was shown and nothing else."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from msgspec import Struct, field

from scenario_apply.cli.apply_session import ApprovalImpossible
from scenario_apply.cli.dataset_arguments import models_of
from scenario_apply.dataset.captions.caption_fixes import CaptionFixer, FixedFile
from scenario_apply.dataset.scan.caption_places import caption_places
from scenario_apply.dataset.scan.caption_writing import NotWritten, replace_caption_file
from scenario_apply.errors import StateError
from scenario_apply.model.fix_kinds import FIX_KINDS, KINDS_THAT_SEND_THE_SAME
from scenario_apply.review.file_diff import file_diff
from scenario_apply.review.screen import counted, safe

if TYPE_CHECKING:
    from scenario_apply.cli.invocation import Invocation
    from scenario_apply.manifest.spec import Manifest
    from scenario_apply.state.state import State


class Fixes(Struct):
    """files: to be written, by name. left: sentences on what is not repaired."""

    files: dict[str, FixedFile] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)


def fix_captions(call: Invocation, manifest: Manifest, only: Collection[str] | None) -> bool:
    """Repairs the caption files of all datasets; False if the user declined, or a file could not be written.

    only: the kinds of repairs to make; None: all that are safe. Raises ApprovalImpossible without a terminal.
    """
    fixes = find_fixes(call, manifest, only)
    say = call.show if call.arguments.format == "text" else call.say
    for file in fixes.files.values():
        before = _shown_before(file)
        after = file.after.decode()
        say(file_diff(file.file, before, after, call.out_now, encoding=file.encoding, kinds=file.kinds))
    for sentence in fixes.left:
        call.tell(f"left as it is: {sentence}")
    if not fixes.files:
        call.tell("Nothing to fix in the caption files.")
        return True
    if not _is_approved(call, len(fixes.files)):
        call.tell("Nothing was changed.")
        return False
    return _write(call, manifest.root, fixes)


def find_fixes(call: Invocation, manifest: Manifest, only: Collection[str] | None) -> Fixes:
    """What can be repaired. A trigger in captions of a trained model is moved only if `only` names it."""
    found = Fixes()
    trained = _trained(call, manifest)
    for name, spec in manifest.datasets.items():
        kinds = FIX_KINDS if only is None else only
        if spec.is_pairs:  # an instruction is a sentence: its trigger stands where it belongs
            kinds = [kind for kind in kinds if kind != "trigger"]
        by = trained.get(name, "")
        held_back = only is None and spec.trigger is not None and bool(by) and not spec.is_pairs
        settings = call.settings
        allowed, remote = settings.allow_outside_root, settings.remote
        places = caption_places(spec, root=manifest.root, allow_outside=allowed, remote=remote)
        fixer = CaptionFixer(places.spec, KINDS_THAT_SEND_THE_SAME if held_back else kinds)
        mover = CaptionFixer(places.spec, ("trigger",)) if held_back else None
        moves = 0
        for file in dict.fromkeys([*places.sidecars, *places.tables]):
            data = places.read(file)
            if file in found.files or not isinstance(data, bytes):
                continue
            fixed = fixer.fixed(data, file=file)
            if fixed is not None and fixed.kinds:
                found.files[file] = fixed
            found.left += [f"{file}: {why}" for why in (fixed.left if fixed is not None else ())]
            moved = mover.fixed(data, file=file) if mover is not None else None
            moves += moved is not None and bool(moved.kinds)
        if moves:
            found.left.append(
                f"the trigger in {counted(moves, 'caption file')} of {name}: {by}, and changed captions "
                "ask for another training. --fix-only trigger moves it anyway"
            )
    return found


def _trained(call: Invocation, manifest: Manifest) -> Mapping[str, str]:
    """Dataset -> a sentence on why another caption would cost a training."""
    state = _recorded(call, manifest)
    if state is None:
        return dict.fromkeys(manifest.datasets, "the state cannot be read, and models may be trained with these")
    found = {}
    for name in manifest.datasets:
        trained = [
            str(address)
            for address in models_of(manifest, name)
            if address in state.records
            and any(version.phase in ("trained", "training") for version in state.records[address].versions())
        ]
        if trained:
            found[name] = f"the training of {', '.join(trained)} used these captions"
    return found


def _recorded(call: Invocation, manifest: Manifest) -> State | None:
    from scenario_apply.cli.state_location import store_at
    from scenario_apply.cli.wiring import place_of_manifest

    try:
        with store_at(place_of_manifest(manifest, call.settings), endpoint=None) as store:
            return store.read()
    except StateError:
        return None


def _shown_before(file: FixedFile) -> str:
    """The file before; bytes that are not UTF-8 are spelled out."""
    if b"\0" in file.before:
        return file.text
    return file.before.decode("utf-8", errors="backslashreplace")


def _is_approved(call: Invocation, count: int) -> bool:
    if call.arguments.auto_approve:
        return True
    if not call.is_interactive:
        raise ApprovalImpossible(
            "approval is required, but no terminal is attached; nothing was changed",
            hint="add --auto-approve to write what is shown above",
        )
    return call.confirm(f"Write {counted(count, 'caption file')}?", "Only 'yes' will be accepted.")


def _write(call: Invocation, root: str, fixes: Fixes) -> bool:
    done = 0
    for file in fixes.files.values():
        try:
            replace_caption_file(root, file.file, file.after, before=file.before)
            done += 1
        except NotWritten as error:
            call.say(f"left as it is: {safe(file.file)}: {safe(str(error))}\n")
    call.tell(f"Fixed {counted(done, 'caption file')}.")
    return done == len(fixes.files)
