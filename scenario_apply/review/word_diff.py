"""What changed in a caption, word by word: red [-cape-] {+cloak+}, with long unchanged stretches left out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from scenario_apply.review.alignment import aligned
from scenario_apply.review.screen import Color, Screen, columns, fit, head, safe

_TOKENS = r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|\w+|\s+|."  # compiled at the first caption that changed
_LONGEST_WORD = 2000  # characters; more of a word is not drawn


class Stretch(NamedTuple):
    """Either same text on both sides, or what is gone and what came in its place; each may be empty."""

    same: str = ""
    gone: str = ""
    new: str = ""


class _Atom(NamedTuple):
    """What is never broken over two lines. spaced: a blank stands before it."""

    text: str
    color: Color | None
    spaced: bool


def word_diff(before: str, after: str) -> list[Stretch]:
    """The stretches of two safe texts, in order."""
    old, new = re.findall(_TOKENS, before), re.findall(_TOKENS, after)
    found: list[Stretch] = []
    codes = aligned(old, new)
    for index, (is_same, a, b, c, d) in enumerate(codes):
        gone, came = "".join(old[a:b]), "".join(new[c:d])
        inner = 0 < index < len(codes) - 1
        if not is_same:
            changed = Stretch(gone=gone, new=came)
            if found and not found[-1].same:
                last = found.pop()
                changed = Stretch(gone=last.gone + gone, new=last.new + came)
            found.append(changed)
        elif inner and gone.isspace():
            # a blank between two changed words belongs to the change: [-a b-] {+c d+}
            last = found.pop() if found else Stretch()
            found.append(Stretch(gone=last.gone + gone, new=last.new + gone))
        else:
            found.append(Stretch(same=gone))
    return found


def drawn_diff(before: str, after: str, width: int, screen: Screen) -> list[str]:
    """The difference of two captions as lines of at most width columns, in quotes."""
    stretches = word_diff(safe(before), safe(after))
    if not screen.verbose:
        stretches = shortened(stretches, max(12, width // 3))
    atoms = [*_atoms(stretches)]
    quoted = [_Atom('"', None, False), *atoms, _Atom('"', None, False)]
    return list(_lines(quoted, width, screen))


def _atoms(stretches: Iterable[Stretch]) -> Iterable[_Atom]:
    spaced = False
    for same, gone, new in stretches:
        if same:
            yield from _words(same, "", "", None, spaced)
            spaced = same[-1].isspace()
            continue
        spaced = spaced or gone[:1].isspace() or new[:1].isspace()
        if gone:
            yield from _words(gone.strip() or gone, "[-", "-]", "red", spaced)
        if new:
            yield from _words(new.strip() or new, "{+", "+}", "green", spaced or bool(gone))
        spaced = gone[-1:].isspace() or new[-1:].isspace()


def _words(text: str, start: str, end: str, color: Color | None, spaced: bool) -> Iterable[_Atom]:
    words = text.split() or [text]
    words[0] = start + words[0]
    words[-1] += end
    spaced = spaced or text[:1].isspace()
    for number, word in enumerate(words):
        yield _Atom(word, color, spaced or number > 0)


def _lines(atoms: list[_Atom], width: int, screen: Screen) -> Iterable[str]:
    line, used = "", 0
    for index, atom in enumerate(atoms):
        glued = index + 1 < len(atoms) and not atoms[index + 1].spaced
        needed = _columns(atom) + (_columns(atoms[index + 1]) if glued else 0)
        if line and atom.spaced:
            if used + 1 + needed > width:
                yield line
                line, used = "", 0
            else:
                line, used = line + " ", used + 1
        text = atom.text if len(atom.text) <= _LONGEST_WORD else f"{atom.text[:_LONGEST_WORD]}…"
        while used + columns(text) > width:  # a word longer than a line
            piece = head(text, width - used) if used == 0 or width - used >= 2 else ""
            yield line + screen.paint(piece, atom.color)
            line, used, text = "", 0, text[len(piece) :]
        line, used = line + screen.paint(text, atom.color), used + columns(text)
    if line:
        yield line


def _columns(atom: _Atom) -> int:
    """Enough to know whether it fits into a line."""
    return columns(atom.text[:_LONGEST_WORD])


def shortened(stretches: Sequence[Stretch], keep: int, changed: int | None = None) -> list[Stretch]:
    """Unchanged stretches cut down to keep columns beside what changed, and that to `changed` columns, if given."""
    last = len(stretches) - 1
    short: list[Stretch] = []
    for index, stretch in enumerate(stretches):
        text = stretch.same
        if text and index == 0 and columns(text) > keep + 2:
            text = "… " + _end_of(text, keep)
        elif text and index == last and columns(text) > keep + 2:
            text = _start_of(text, keep) + " …"
        elif columns(text) > 2 * keep + 3:
            text = _start_of(text, keep) + " … " + _end_of(text, keep)
        stretch = stretch._replace(same=text)
        if changed is not None:
            stretch = stretch._replace(gone=fit(stretch.gone, changed), new=fit(stretch.new, changed))
        short.append(stretch)
    return short


def _start_of(text: str, width: int) -> str:
    start = head(text, width)
    cut = start.rfind(" ")
    return start[:cut].rstrip() if cut > width // 2 else start


def _end_of(text: str, width: int) -> str:
    end = head(text[::-1], width)[::-1]
    cut = end.find(" ")
    return end[cut + 1 :] if 0 <= cut < width // 2 else end
