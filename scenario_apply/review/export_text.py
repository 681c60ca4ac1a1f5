"""What an import or export did, as text and as JSON. Pure."""

from __future__ import annotations

import json

from msgspec import Struct

from scenario_apply.planning.export_layout import ExportedResource, NotExported
from scenario_apply.review.image_lines import listed, more
from scenario_apply.review.screen import Screen, counted, hanging, safe


class ExportWords(Struct, frozen=True, kw_only=True):
    """done: exported or imported. manifest: the file. following: the command that comes next.

    adopted: addresses that the manifest declared already. downloaded, kept, failed: pictures.
    """

    done: str
    manifest: str
    resources: tuple[ExportedResource, ...]
    adopted: tuple[str, ...]
    already: int
    downloaded: int
    kept: int
    failed: int
    size_bytes: int
    captions: int
    problems: tuple[NotExported, ...]
    requests: int
    following: str


def export_text(words: ExportWords, screen: Screen) -> str:
    """The ledger: what was written, what was not and why, how many requests it took, and the next command."""
    lines: list[str] = []
    shown, rest = listed([*words.resources], screen)
    for resource in shown:
        lines += hanging(f"  {screen.paint('+', 'green')} ", safe(f"{resource.address}  {resource.title}"), screen)
        for note in resource.notes:
            lines += hanging("      ", safe(note), screen)
    lines += more(rest, "resource", screen)
    lines += [f"  {screen.paint('→', 'green')} {safe(address)}" for address in words.adopted]
    if words.problems:
        lines += ["", f"{screen.paint(f'Not {words.done}:', 'yellow')}"]
        for problem in words.problems:
            lines += hanging("  - ", safe(f"{problem.what}: {problem.why}"), screen)
    total = len(words.resources) + len(words.adopted)
    pictures = counted(words.downloaded, "picture")
    left_out, requests = f"{len(words.problems)} not {words.done}", counted(words.requests, "request")
    lines += [
        "",
        f"{words.done.capitalize()} {counted(total, 'resource')}, {words.already} already there, {left_out}.",
        f"{pictures} downloaded ({words.size_bytes / 1e6:.1f} MB), {words.kept} kept. {requests}. 0 CU.",
    ]
    if total:
        lines += [f"Manifest: {safe(words.manifest)}", f"Next: {safe(words.following)}"]
    return "\n".join(lines).lstrip("\n") + "\n"


def export_json(words: ExportWords) -> str:
    """The same for programs."""
    value = {
        "manifest": words.manifest if words.resources or words.adopted else None,
        "resources": [
            {
                "address": str(resource.address),
                "id": resource.remote.id,
                "name": resource.remote.name,
                "type": resource.remote.type,
                "images": len(resource.remote.images or ()),
                "notes": list(resource.notes),
            }
            for resource in words.resources
        ],
        "adopted": list(words.adopted),
        "already": words.already,
        "pictures": {
            "downloaded": words.downloaded, "kept": words.kept, "failed": words.failed, "bytes": words.size_bytes,
        },
        "captions": words.captions,
        "not_exported": [{"what": problem.what, "why": problem.why} for problem in words.problems],
        "requests": words.requests,
    }  # fmt: skip
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
