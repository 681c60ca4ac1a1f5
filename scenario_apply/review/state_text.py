"""A state and its records as text."""

from __future__ import annotations

from scenario_apply.model.address import Address
from scenario_apply.model.amounts import amount
from scenario_apply.review.image_lines import listed, more
from scenario_apply.review.outputs import table
from scenario_apply.review.screen import Screen, columns, counted, fit, fit_path, hanging, pad, safe, wrap
from scenario_apply.review.values import value_text
from scenario_apply.state.state import Record, State, Version


def list_text(state: State, screen: Screen) -> str:
    """An address a line; with -v id, phase and version beside it."""
    if not screen.verbose:
        return "".join(f"{safe(str(address))}\n" for address in sorted(state.records))
    rows = [
        (str(address), record.current.id, record.current.phase, f"v{record.current.number}")
        for address, record in sorted(state.records.items())
    ]
    return table(("ADDRESS", "ID", "STATUS", "VERSION"), rows, screen) if rows else ""


def history_text(state: State, screen: Screen) -> str:
    """A block per entry, oldest first: serial and time, by whom and from what, what was done."""
    lines = []
    for entry in state.history:
        origin = [f"commit {entry.commit}"] if entry.commit else []
        origin += [f"manifest {entry.manifest.removeprefix('sha256:')[:12]}"] if entry.manifest else []
        by = ", ".join([safe(entry.who), *origin])
        lines.append(screen.paint(safe(f"serial {entry.serial}  {entry.at}"), "bold"))
        lines += hanging("  ", safe(f"by {by}"), screen)
        lines += hanging("  ", safe(entry.what), screen)
        lines += hanging("  ", safe(f"$ {entry.command}"), screen)
    return "".join(f"{line}\n" for line in lines)


def record_text(address: Address, record: Record, screen: Screen) -> str:
    """One resource: its current version whole, the others in a line each."""
    lines = [screen.paint(safe(str(address)), "bold")]
    if record.protected:
        lines.append("  protected from deletion")
    if record.held is not None:
        lines.append("  pinned by a rollback")
    lines += _version("current", record.current, screen)
    if record.pending is not None:
        lines += _version("replacement", record.pending, screen)
    for version in record.previous:
        lines.append(f"  previous version {version.number}: {safe(version.id)}, {version.phase}")
    return "\n".join(lines) + "\n"


def _version(title: str, version: Version, screen: Screen) -> list[str]:
    rows = [
        ("id", version.id),
        ("status", version.phase + (f": {version.reason}" if version.reason else "")),
        ("name", version.name),
        ("type", version.type),
        ("description", version.description or ""),
        ("tags", ", ".join(version.tags)),
        ("parameters", value_text(dict(version.parameters)) if version.parameters else ""),
        ("concepts", "; ".join(f"{concept.model_id} at {concept.scale:g}" for concept in version.concepts)),
        ("epoch", version.epoch or ""),
        ("job", version.job_id or ""),
        ("cost", "" if version.charged is None else f"{amount(version.charged)} CU"),
        ("launched", version.launched_at or ""),
        ("ended", version.ended_at or ""),
    ]
    lines = [f"  {title}: version {version.number}"]
    for key, text in rows:
        if text:
            lines += hanging(f"    {pad(key, 11)}  ", safe(text), screen)
    return lines + _images(version, screen)


def _images(version: Version, screen: Screen) -> list[str]:
    if not version.images:
        return []
    lines = [f"    {counted(len(version.images), 'image')}:"]
    shown, left = listed(list(version.images), screen)
    wide = min(max(columns(safe(image.path)) for image in shown), screen.width // 3)
    for image in shown:
        room = screen.width - 6 - wide - 2
        text = f'"{safe(image.caption)}"' if image.caption else "(captioned by Scenario)"
        first, *rest = wrap(text, room) if screen.verbose else [fit(text, room)]
        lines.append(f"      {pad(fit_path(safe(image.path), wide), wide)}  {first}")
        lines += [" " * (8 + wide) + line for line in rest]
    for pair in version.pairs:
        lines += hanging("      pair  ", safe(f"{pair.source_id} -> {pair.target_id}: {pair.instruction}"), screen)
    return lines + more(left, "image", screen)
