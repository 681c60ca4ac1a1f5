"""What an export of weights did, as text and as JSON. Pure."""

from __future__ import annotations

import json

from msgspec import Struct

from scenario_apply.apply.export.weights_choice import NotChosen
from scenario_apply.apply.export.weights_export import WeightsResult
from scenario_apply.review.screen import Screen, counted, hanging, safe


class WeightsWords(Struct, frozen=True, kw_only=True):
    """folder: as the user named it. missing: what was asked for and is not there."""

    folder: str
    results: tuple[WeightsResult, ...]
    missing: tuple[NotChosen, ...]
    requests: int

    @property
    def failures(self) -> int:
        return len(self.missing) + sum(result.status == "failed" for result in self.results)


def weights_text(words: WeightsWords, screen: Screen) -> str:
    """One line for each file, what failed and why, and a sum."""
    lines: list[str] = []
    exported = kept = size = 0
    for result in words.results:
        if (held := result.held) is None:
            continue
        is_new = result.status == "exported"
        exported, kept, size = exported + is_new, kept + (not is_new), size + (held.size if is_new else 0)
        sign = screen.paint("+", "green") if is_new else " "
        resumed = f", continued from {_megabytes(result.resumed)}" if result.resumed else ""
        what = f"{result.target.address}  {held.file}  {_megabytes(held.size)}{resumed}"
        lines += hanging(f"  {sign} ", safe(what if is_new else f"{what}  (unchanged)"), screen)
        if screen.verbose:
            lines += hanging("      ", f"sha256 {held.sha256}", screen)
    problems = [
        *((str(one.address), one.why, one.hint) for one in words.missing),
        *((str(r.target.address), r.why, r.hint) for r in words.results if r.status == "failed"),
    ]
    if problems:
        lines += ["", screen.paint("Not exported:", "yellow")]
    for address, why, hint in problems:
        lines += hanging("  - ", safe(f"{address}: {why}"), screen)
        if hint is not None:
            lines += hanging("    hint: ", safe(hint), screen)
    requests = counted(words.requests, "request")
    lines += [
        "",
        f"Exported {counted(exported, 'file')} ({_megabytes(size)}), {kept} already there, "
        f"{words.failures} not exported. {requests}.",
    ]
    if exported or kept:
        lines.append(f"Folder: {safe(words.folder)} (weights.json lists the files with their SHA-256)")
    return "\n".join(lines).lstrip("\n") + "\n"


def weights_json(words: WeightsWords) -> str:
    """The same for programs."""
    value = {
        "folder": words.folder,
        "weights": [_row(result) for result in words.results],
        "not_exported": [{"address": str(one.address), "why": one.why, "hint": one.hint} for one in words.missing]
        + [
            {"address": str(r.target.address), "why": r.why, "hint": r.hint}
            for r in words.results
            if r.status == "failed"
        ],
        "requests": words.requests,
    }
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _row(result: WeightsResult) -> dict[str, object]:
    target, held = result.target, result.held
    row: dict[str, object] = {
        "address": str(target.address),
        "version": target.version.number,
        "epoch": target.epoch,
        "model_id": target.version.id,
        "status": result.status,
    }
    if held is not None:
        row |= {"file": held.file, "sha256": held.sha256, "bytes": held.size, "at": held.at}
    return row


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 100_000 else f"{size / 1e3:.1f} kB"
