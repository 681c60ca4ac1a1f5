"""The small parts of a manifest: lifecycle, limits, moved, import, removed."""

from __future__ import annotations

from typing import cast

from scenario_apply.manifest.fields import child, maps, number, service_id, text, texts, whole
from scenario_apply.manifest.positions import Map, Mark, Seq
from scenario_apply.manifest.report import Report
from scenario_apply.manifest.spec import Import, Lifecycle, Moved, OnChange, Removed
from scenario_apply.model.address import Address, parse_address
from scenario_apply.model.plan_limits import Limits

_PLAIN = Lifecycle()


def lifecycle(fields: Map) -> Lifecycle:
    block = child(fields, "lifecycle")
    if not block:
        return _PLAIN
    on_change = text(block, "on_change")
    keep = whole(block, "keep_versions")
    return Lifecycle(
        on_change=cast(OnChange, on_change) if on_change in ("replace", "retrain", "keep") else None,
        keep_versions=_PLAIN.keep_versions if keep is None else keep,
        train="manual" if text(block, "train") == "manual" else "auto",
        prevent_destroy=protect if isinstance(protect := block.get("prevent_destroy"), bool) else None,
        ignore_changes=texts(block, "ignore_changes"),
    )


def limits(document: Map) -> Limits:
    block = child(document, "limits")
    if not block:
        return Limits()
    return Limits(
        cost=number(block, "cost"),
        samples_cost=number(block, "samples_cost"),
        deletes=whole(block, "deletes"),
        retrains=whole(block, "retrains"),
        changes_percent=number(block, "changes_percent"),
        min_score=number(block, "min_score"),
    )


def moved(document: Map, report: Report) -> tuple[Moved, ...]:
    """Each old address at most once, each new one at most once, kinds alike."""
    found: list[Moved] = []
    sources: set[Address] = set()
    targets: set[Address] = set()
    for entry, mark in maps(document, "moved"):
        source, target = _address(entry, "from", report), _address(entry, "to", report)
        if source is None or target is None:
            continue
        if source == target or source.kind != target.kind:
            why = "moves to itself" if source == target else f"cannot become a {target.kind}"
            report.error("moved", f"{source} {why}", mark)
            continue
        if source in sources or target in targets:
            report.error(
                "moved",
                f"{source} -> {target}: one of the two is already part of another move",
                mark,
                "keep one move of each",
            )
            continue
        sources.add(source)
        targets.add(target)
        found.append(Moved(source=source, target=target, place=report.place(mark)))
    return tuple(found)


def imports(document: Map, report: Report) -> tuple[Import, ...]:
    found: list[Import] = []
    targets: set[Address] = set()
    ids: set[str] = set()
    for entry, mark in maps(document, "import"):
        target, model_id = _address(entry, "to", report), service_id(entry, "id", report)
        if target is None or model_id is None:
            continue
        if target in targets or model_id in ids:
            report.error("import", f"{target} or {model_id} is imported twice", mark, "keep one of them")
            continue
        targets.add(target)
        ids.add(model_id)
        found.append(Import(target=target, model_id=model_id, place=report.place(mark)))
    return tuple(found)


def removed(document: Map, report: Report) -> tuple[Removed, ...]:
    block = document.get("removed")
    if not isinstance(block, Seq):
        return ()
    found: list[Removed] = []
    for entry, mark in zip(block, block.marks, strict=True):
        if isinstance(entry, str):
            source = _parsed(entry, mark, report)
        else:
            source = _address(entry, "from", report) if isinstance(entry, Map) else None
        if source is not None:
            found.append(Removed(source=source, place=report.place(mark)))
    return tuple(found)


def _address(entry: Map, key: str, report: Report) -> Address | None:
    written = text(entry, key)
    return None if written is None else _parsed(written, entry.value_mark(key), report)


def _parsed(written: str, mark: Mark, report: Report) -> Address | None:
    try:
        return parse_address(written)
    except ValueError as error:
        if not report.is_wrong(mark):
            report.error("address", str(error), mark)
        return None
