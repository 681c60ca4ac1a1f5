"""`moved:` is a history: chains, matrices and shifts move a record once; what does nothing is said, with its place."""

from __future__ import annotations

import itertools

import pytest

from scenario_apply.errors import Location
from scenario_apply.manifest.spec import Moved
from scenario_apply.model.address import Address, parse_address
from scenario_apply.planning import moves as moves_module
from scenario_apply.planning.moves import Moves, resolve_moves


def addresses(names: str) -> list[Address]:
    """Models, by name."""
    return [parse_address(name if "." in name else f"model.{name}") for name in names.split()]


def resolved(moves: str, recorded: str, declared: str, removed: str = "") -> Moves:
    """moves: 'a>b b>c', in the order of the manifest; line 1 is the first."""
    written = [addresses(move.replace(">", " ")) for move in moves.split()]
    moved = [Moved(source=s, target=t, place=Location(file="m.yaml", line=n)) for n, (s, t) in enumerate(written, 1)]
    found = addresses(declared)
    return resolve_moves(moved, addresses(recorded), found, found, addresses(removed))


def moves_of(found: Moves) -> dict[str, str]:
    return {
        f"{source.name}/{source.label}".rstrip("/"): str(t).removeprefix("model.")
        for t, source in found.sources.items()
    }


def said(found: Moves) -> list[tuple[str, str, int | None]]:
    return [(p.code, p.severity, p.location.line if p.location else None) for p in found.problems]


@pytest.mark.parametrize(
    ("moves", "recorded", "declared", "expected"),
    [
        ("a>b", "a", "b", {"a": "b"}),
        ("a>x x>c", "a", "c", {"a": "c"}),
        ("a>x x>c", "x", "c", {"x": "c"}),
        ("a>b b>c c>d", "a", "d", {"a": "d"}),
        ("a>b b>a", "b", "a", {"b": "a"}),  # renamed, and back again
        ("a>b", "a", "a b", {"a": "b"}),  # a new a is declared
        ("a>x x>c", "a x", "x c", {"x": "c", "a": "x"}),  # both by one
        ("a>x x>c", "a c", "x c", {"a": "x"}),  # c was moved last month
        ("lr>grid", "lr/slow lr/fast", "grid/slow grid/fast", {"lr/slow": "grid/slow", "lr/fast": "grid/fast"}),
        ("lr>mid mid>grid", "lr/slow", "grid/slow", {"lr/slow": "grid/slow"}),
        ("lr>grid grid/slow>grid/low", "lr/slow", "grid/low", {"lr/slow": "grid/low"}),
        ("lr>grid lr/slow>kael", "lr/slow lr/fast", "kael grid/fast", {"lr/slow": "kael", "lr/fast": "grid/fast"}),
        ("lr/slow>kael", "lr/slow", "kael", {"lr/slow": "kael"}),
        ("composition.a>composition.b", "composition.a", "composition.b", {"a": "composition.b"}),
    ],
)
def test_a_record_moves_to_the_last_address_that_is_declared_and_free(
    moves: str, recorded: str, declared: str, expected: dict[str, str]
) -> None:
    """In whatever order the entries are written; a second plan has nothing left to do."""
    for order in itertools.permutations(moves.split()):
        found = resolved(" ".join(order), recorded, declared)
        assert moves_of(found) == expected, order
        assert said(found) == []
        stay = set(addresses(recorded)) - set(found.sources.values())
        after = resolved(" ".join(order), " ".join(map(str, {*stay, *found.sources})), declared)
        assert (moves_of(after), said(after)) == ({}, []), order


@pytest.mark.parametrize(
    ("moves", "recorded", "declared"),
    [
        ("a>b", "b", "b"),
        ("a>b", "a b", "a b"),  # it was carried out; another a was made since
        ("a>b", "", "b"),
        ("a>gone", "b", "b"),
        ("a>b b>a", "a", "a"),
        ("lr>grid", "grid/slow", "grid/slow grid/fast"),
    ],
)
def test_history_is_silent(moves: str, recorded: str, declared: str) -> None:
    assert resolved(moves, recorded, declared) == Moves()


@pytest.mark.parametrize(
    ("moves", "recorded", "declared", "expected"),
    [
        ("a>typo", "a", "kael", ("moved-target", "error", 1)),  # kael would be made and trained
        ("a>typo", "a b", "b", ("moved-target", "warning", 1)),  # renamed, and removed later
        ("a>x x>typo", "a", "c", ("moved-target", "error", 2)),
        ("lr>gird", "lr/slow", "grid/slow", ("moved-target", "error", 1)),
        ("kael>lr", "kael", "lr/slow lr/fast", ("moved-target", "error", 1)),
        ("a>b", "a b", "b", ("moved-taken", "warning", 1)),
        ("a>b b>a", "a b", "a b", ("moved-circle", "error", 2)),
        ("a>b b>c c>a", "a b c", "a b c", ("moved-circle", "error", 3)),
        ("keal>ranger", "kael", "ranger", ("moved-source", "warning", 1)),
    ],
)
def test_a_move_that_does_nothing_though_a_record_waits_is_said_at_its_line(
    moves: str, recorded: str, declared: str, expected: tuple[str, str, int]
) -> None:
    found = resolved(moves, recorded, declared)
    assert moves_of(found) == {}
    assert said(found)[0] == expected
    assert all(problem.hint for problem in found.problems)


def test_the_nearest_address_is_suggested() -> None:
    assert resolved("a>ragner", "a", "ranger other").problems[0].hint == "did you mean model.ranger?"
    assert "e.g. model.lr/slow" in (resolved("kael>lr", "kael", "lr/slow").problems[0].hint or "")


def test_what_a_removed_block_forgets_moves_nowhere() -> None:
    assert resolved("a>b", "a", "b", removed="a") == Moves()


def test_a_record_that_must_wait_holds_up_the_one_behind_it() -> None:
    """c is not selected: x stays, so a does not take its place."""
    a, x, c = addresses("a x c")
    here = Location(file="m.yaml", line=1)
    moved = [Moved(source=a, target=x, place=here), Moved(source=x, target=c, place=here)]
    found = resolve_moves(moved, [a, x], [x, c], [x])
    assert found.sources == {}


def test_what_waits_for_a_record_that_must_wait_stays_along_the_whole_chain() -> None:
    names = addresses(" ".join(f"a{n}" for n in range(700)))
    here = Location(file="m.yaml", line=1)
    moved = [Moved(source=a, target=b, place=here) for a, b in itertools.pairwise(names)]
    found = resolve_moves(moved, dict.fromkeys(names[:-1]), dict.fromkeys(names[1:]), set(names[1:-1]))
    assert found == Moves()


def test_moves_without_end_are_an_error_before_the_work() -> None:
    """A state and a manifest of a few megabytes must not keep a plan busy for minutes."""
    names = addresses(" ".join(f"a{n}" for n in range(1500)))
    here = Location(file="m.yaml", line=1)
    moved = [Moved(source=a, target=b, place=here) for a, b in itertools.pairwise(names)]
    found = resolve_moves(moved, dict.fromkeys(names), dict.fromkeys(names), set(names))
    assert [(p.code, p.severity) for p in found.problems] == [("too-large", "error")]


def test_thousands_of_slips_are_not_all_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(moves_module, "nearest", lambda word, known, most: asked.append(word))
    slips = " ".join(f"b{n}>c{n}" for n in range(3000))
    resolved(slips, " ".join(f"x{n}" for n in range(3000)), " ".join(f"c{n}" for n in range(3000)))
    assert 0 < len(asked) < 1000
