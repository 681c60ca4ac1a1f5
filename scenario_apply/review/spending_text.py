"""What trainings and samples cost so far, per month, resource and run, beside what the service says of the account."""

from __future__ import annotations

import json

from scenario_apply.model import codec
from scenario_apply.model.amounts import amount
from scenario_apply.model.remote import AccountFacts
from scenario_apply.review.outputs import table
from scenario_apply.review.screen import Screen, counted, prose, safe
from scenario_apply.state.spending import Entry, Sum, entries_of, months_of, resources_of, runs_of, sum_of, trainings_of
from scenario_apply.state.state import SAMPLES_KEPT, TRAININGS_KEPT, SampleEntry, State, TrainingEntry

_RUNS_SHOWN = 10


def spending_text(state: State, account: AccountFacts | None, screen: Screen) -> str:
    """Tables per month and resource and per run, the total, and the account. -v: every run and every training."""
    entries = entries_of(state)
    if not entries:
        return "".join(
            f"{line}\n" for line in ["No training is recorded: nothing was charged.", *_account(account, screen)]
        )
    blocks = [_months(entries, screen), _runs(state, screen)]
    if screen.verbose:
        blocks.append(_trainings(trainings_of(state), screen))
        blocks += [_samples(state.samples, screen)] if state.samples else []
    lines = [f"Total: {_told(sum_of(entries))}."]
    for what, kept, most in (("trainings", state.trainings, TRAININGS_KEPT), ("samples", state.samples, SAMPLES_KEPT)):
        if len(kept) == most:
            lines.append(f"Only the last {most:,} {what} are kept; the first of them is of {kept[0].at[:10]}.")
    return "\n".join([*blocks, "".join(f"{line}\n" for line in [*lines, *_account(account, screen)])])


def _months(entries: tuple[Entry, ...], screen: Screen) -> str:
    rows = []
    for month, resources in months_of(entries).items():
        rows += [(month, str(address), *_cells(one)) for address, one in resources.items()]
        if len(resources) > 1:
            rows.append((month, "all", *_cells(sum_of(e for e in entries if e.at[:7] == month))))
    return table(("MONTH", "RESOURCE", "CHARGED CU", "QUOTED CU", "TRAININGS", "NOTES"), rows, screen, needed=3)


def _runs(state: State, screen: Screen) -> str:
    runs = runs_of(state)
    shown = runs if screen.verbose else runs[-_RUNS_SHOWN:]
    rows = [
        (
            "earlier or unsaved" if run.serial is None else f"serial {run.serial}",
            (run.at or "")[:16].replace("T", " "),
            *_cells(run.sum),
            run.who or "",
        )
        for run in shown
    ]
    more = len(runs) - len(shown)
    text = table(("RUN", "ENDED (UTC)", "CHARGED CU", "QUOTED CU", "TRAININGS", "NOTES", "BY"), rows, screen, needed=3)
    return text + (f"{counted(more, 'earlier run')}: -v shows all\n" if more > 0 else "")


def _trainings(entries: tuple[TrainingEntry, ...], screen: Screen) -> str:
    rows = [
        (
            entry.at[:16].replace("T", " "),
            str(entry.address),
            f"v{entry.version}",
            _cu(entry.charged),
            _cu(entry.quoted),
            "" if entry.steps is None else f"{entry.steps:,}",
            entry.phase,
            _parts(entry),
        )
        for entry in entries
    ]
    titles = ("LAUNCHED (UTC)", "RESOURCE", "VERSION", "CHARGED CU", "QUOTED CU", "STEPS", "STATUS", "PARTS")
    return table(titles, rows, screen, needed=4)


def _samples(entries: tuple[SampleEntry, ...], screen: Screen) -> str:
    rows = [
        (
            entry.at[:16].replace("T", " "),
            str(entry.address),
            f"v{entry.version}",
            entry.name,
            _cu(entry.charged),
            _cu(entry.quoted),
            entry.phase,
            _parts(entry),
        )
        for entry in entries
    ]
    titles = ("LAUNCHED (UTC)", "RESOURCE", "VERSION", "SAMPLE", "CHARGED CU", "QUOTED CU", "STATUS", "PARTS")
    return table(titles, rows, screen, needed=5)


def _parts(entry: Entry) -> str:
    parts = [f"{name} {amount(cu)}" for name, cu in entry.details.items()]
    return ", ".join([*parts, *([f"discount {amount(entry.discount)}"] if entry.discount else [])])


def _cells(one: Sum) -> tuple[str, str, str, str]:
    charged = "?" if one.unknown == one.trainings + one.samples else amount(one.charged)
    notes = [f"{counted(one.samples, 'sample')} {amount(one.samples_charged)} CU"] if one.samples else []
    notes += [f"{one.unknown} of unknown charge"] if one.unknown else []
    notes += [f"{one.refunded} failed and refunded"] if one.refunded else []
    return charged, amount(one.quoted) if one.quoted else "", f"{one.trainings:,}", ", ".join(notes)


def _told(one: Sum) -> str:
    charged, _, _, notes = _cells(one)
    what = counted(one.trainings, "training") + (f" and {counted(one.samples, 'sample')}" if one.samples else "")
    return f"{charged} CU charged for {what}{f' ({notes})' if notes else ''}"


def _cu(value: float | None) -> str:
    return "?" if value is None else amount(value)


def _account(account: AccountFacts | None, screen: Screen) -> list[str]:
    if account is None:
        return []
    if account.used_in_31_days is None:
        texts = [f"The usage on Scenario cannot be read: {account.usage_problem}."]
    else:
        used = amount(account.used_in_31_days)
        texts = [f"Scenario counts {used} CU in the last 31 days, for everything that was done there."]
    if account.limits_problem is not None:
        texts.append(f"The team's limits cannot be read: {account.limits_problem}.")
    else:
        of = "" if account.ceiling is None else f" of {amount(account.ceiling)}"
        until = f" in the period until {account.period_end[:10]}" if account.period_end else ""
        plan = f" (plan {account.plan})" if account.plan else ""
        texts.append(f"The team used {_cu(account.used_in_period)}{of} CU{until}{plan}.")
    return [line for text in texts for line in prose(safe(text), screen.width, screen)]


def spending_json(state: State, account: AccountFacts | None) -> str:
    """Sums and every training, for dashboards; account null where the service was not asked."""
    entries, trainings = entries_of(state), trainings_of(state)
    values = {
        "unit": "CU",
        "total": codec.plain(sum_of(entries)),
        "months": [
            {
                "month": month,
                **codec.plain(sum_of(e for e in entries if e.at[:7] == month)),
                "resources": {str(address): codec.plain(one) for address, one in resources.items()},
            }
            for month, resources in months_of(entries).items()
        ],
        "resources": {str(address): codec.plain(one) for address, one in resources_of(entries).items()},
        "runs": [codec.plain(run) for run in runs_of(state)],
        "trainings": [_entry(entry) for entry in trainings],
        "samples": [_sample(entry) for entry in state.samples],
        "is_complete": len(trainings) < TRAININGS_KEPT and len(state.samples) < SAMPLES_KEPT,
        "account": None if account is None else codec.plain(account),
    }
    return json.dumps(values, indent=2, ensure_ascii=False) + "\n"


def _entry(entry: TrainingEntry) -> dict[str, object]:
    """One training with all its keys, also those that are left out of a state."""
    names = ("at", "version", "model_id", "type", "phase", "job_id", "ended_at", "images", "steps")
    return _charge(entry, names)


def _sample(entry: SampleEntry) -> dict[str, object]:
    """The same of one sample."""
    return _charge(entry, ("at", "version", "model_id", "name", "pictures", "phase", "job_id", "ended_at"))


def _charge(entry: Entry, names: tuple[str, ...]) -> dict[str, object]:
    return {
        "address": str(entry.address),
        **{name: getattr(entry, name) for name in names},
        "quoted": entry.quoted,
        "charged": entry.charged,
        "discount": entry.discount,
        "details": dict(entry.details),
    }
