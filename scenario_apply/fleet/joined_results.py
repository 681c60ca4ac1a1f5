"""The results of several tasks about one manifest as one: what a look adds to what was launched before. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from scenario_apply.errors import ExitCode
from scenario_apply.fleet.tasks import ManifestResult, Plain
from scenario_apply.model.amounts import total

_CODES = {
    "done": ExitCode.OK,
    "running": ExitCode.RUNNING,
    "partial": ExitCode.PARTIAL,
    "failed": ExitCode.PARTIAL,
    "interrupted": ExitCode.INTERRUPTED,
}


_OF_PLAN = ("summary", "requests", "cu", "unknown", "samples", "samples_cu", "trainings", "deletes")


def joined(before: ManifestResult | None, now: ManifestResult) -> ManifestResult:
    """The later result, with what the earlier ones did in its ledger. What was planned first stays."""
    if before is None:
        return now
    plan = {key: getattr(before, key) for key in _OF_PLAN}
    if now.ledger is None or before.ledger is None:
        ledger = now.ledger or before.ledger
        return replace(now, ledger=ledger, plan=before.plan, approved=before.approved, **plan)
    ledger = joined_ledgers(before.ledger, now.ledger)
    return _with_ledger(replace(now, plan=before.plan, approved=before.approved, **plan), ledger)


def with_ends(result: ManifestResult, ends: Sequence[tuple[str, str | None]], *, was_run: bool) -> ManifestResult:
    """With the trainings that ended since they were launched: address, and why one failed.

    was_run: the ledger is of after they ended; else an error, whose code stays, kept the manifest from being applied.
    """
    if result.ledger is None:
        return result
    ledger = dict(result.ledger)
    if not was_run:
        over = {address for address, _ in ends}
        ledger["running"] = [line for line in ledger["running"] if line["address"] not in over]
    still = {line["address"] for line in ledger["running"] if line["what"] == "training"}
    done, failed = list(ledger["done"]), list(ledger["failed"])
    for address, reason in ends:
        if address in still:
            continue  # it is another training by now
        line = {"address": address, "what": "wait", "reason": reason, "id": None}
        if reason is not None:
            failed.append(line)
        elif address not in {other["address"] for other in done}:
            done.append({**line, "what": "create"})
    found = _with_ledger(result, {**ledger, "done": done, "failed": failed})
    return found if was_run else replace(found, code=result.code)


def joined_ledgers(before: Plain, now: Plain) -> Plain:
    """One ledger of two runs, the later one of which continued the earlier."""
    charges = {
        (charge["address"], bool(charge.get("samples"))): charge for charge in (*before["charges"], *now["charges"])
    }  # the later one knows more
    known = [charge["charged"] for charge in charges.values()]
    return {
        **now,
        "done": _lines(before["done"], now["done"]),
        "failed": _lines(before["failed"], now["failed"]),
        "adopted": [*before["adopted"], *now["adopted"]],
        "requests": before["requests"] + now["requests"],
        "refused": before["refused"] + now["refused"],
        "charges": list(charges.values()),
        "cu_charged": None if None in known else total(known),
        "took_s": before["took_s"] + now["took_s"],
        "steps_done": before["steps_done"] + now["steps_done"],
        "steps_total": before["steps_done"] + now["steps_total"],
        "gated": before["gated"] or now["gated"],
        "counts": dict(Counter(before["counts"]) + Counter(now["counts"])),
    }


def _lines(before: list[Plain], now: list[Plain]) -> list[Plain]:
    """Each resource and step once; what was said last counts."""
    return list({(line["address"], line["what"]): line for line in (*before, *now)}.values())


def _with_ledger(result: ManifestResult, ledger: Plain) -> ManifestResult:
    status = _status(ledger)
    code = result.code
    if status != "stopped":
        code = int(ExitCode.GATE if ledger["gated"] and status in ("partial", "failed") else _CODES[status])
    next_command = None if status == "done" else ledger["next_command"]
    ledger = {**ledger, "status": status, "next_command": next_command}
    return replace(result, ledger=ledger, code=code, next_command=next_command)


def _status(ledger: Plain) -> str:
    """As the ledger of one run has it."""
    given: Any = ledger["status"]
    if given in ("interrupted", "stopped"):
        return str(given)
    if ledger["failed"]:
        return "partial" if ledger["done"] or ledger["steps_done"] else "failed"
    if ledger["running"]:
        return "running"
    return "partial" if ledger["unknown"] or ledger["not_started"] else "done"
