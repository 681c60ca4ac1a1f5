"""Texts and numbers as a service may keep them: blanks collapsed, Unicode composed, cut, in single precision.

Used where an answer of the service does not say what it kept. Pure.
"""

from __future__ import annotations

import math
import re
import struct
import unicodedata

SHORTEST_CUT = 16
"""Characters below which a shorter text is taken for an edit, not for a cut one."""

SHORTEST_CUT_NAME = 8
"""Letters and digits that a service surely keeps of a name."""

SHORTEST_CUT_TAG = 4
"""Characters that a service surely keeps of a tag."""

_WORD = re.compile(r"\w+")
_ENTITY = re.compile(r"&(?:amp|quot|lt|gt|apos|#\d+);")
_INVISIBLE = frozenset({"Cc", "Cf"})


def normal_form(text: str) -> str:
    """The text without what services change by themselves: Unicode form, line ends, blanks, invisible characters."""
    if text.isascii() and text.isprintable() and "  " not in text and text == text.strip():
        return text
    composed = unicodedata.normalize("NFKC", text)
    spaced = (" " if char.isspace() else char for char in composed)
    return " ".join("".join(c for c in spaced if unicodedata.category(c) not in _INVISIBLE).split())


def is_same_text(sent: str, held: str) -> bool:
    """Whether both are one text but for its normal form."""
    return sent == held or normal_form(sent) == normal_form(held)


def is_kept_form(sent: str, held: str) -> bool:
    """Whether a service that was sent one text may show the other by itself; an edit by hand looks different.

    A text that is cut ends within a word or in an ellipsis: a person who shortens a text ends it after a word.
    """
    if is_same_text(sent, held):
        return True
    whole, short = normal_form(sent), normal_form(held)
    kept = short.removesuffix("...").rstrip()
    if len(kept) < SHORTEST_CUT or not whole.startswith(kept) or len(kept) == len(whole):
        return False
    return kept != short or (kept[-1].isalnum() and whole[len(kept)].isalnum())


def is_same_but_for_signs(sent: str, held: str) -> bool:
    """Whether both hold the same words: quotes straightened, signs escaped for HTML, emoji or a full stop dropped.

    Words are letters, digits and underscores as they are written, so that another trigger is another text.
    """
    words = _words(sent)
    return bool(words) and words == _words(held)


def has_words(text: str) -> bool:
    """Whether it has letters, digits or underscores: not only signs, such as emoji."""
    return bool(_words(text))


def _words(text: str) -> list[str]:
    import html  # its table of names takes longer to load than most runs need it

    return _WORD.findall(normal_form(html.unescape(text)))


def may_be_kept_of(sent: str, held: str) -> bool:
    """Whether the one may be all that is left of the other: in another case, with other signs, or cut anywhere.

    Only for where nothing else says what was kept: a text that was edited by hand may look the same.
    """
    if is_same_but_for_signs(sent.casefold(), held.casefold()):
        return True
    whole, short = normal_form(sent), normal_form(held).removesuffix("...").rstrip()
    if not short:
        return not whole
    return whole.startswith(short) or (short == short.lower() and whole.lower().startswith(short))


def is_kept_name(sent: str, held: str) -> bool:
    """Whether a new object of the one name may be shown under the other: what else is known of it must speak for it.

    Only letters and digits count; the name may be cut.
    """
    whole, kept = name_letters(sent), name_letters(_ENTITY.sub("", held))
    if not whole or not kept:
        return is_same_text(sent, held)
    return whole == kept or (len(kept) >= SHORTEST_CUT_NAME and whole.startswith(kept))


def name_letters(name: str) -> str:
    """The letters and digits of a name, without case and accents: what is left of it in any form."""
    return "".join(c for c in unicodedata.normalize("NFKD", name).casefold() if c.isalnum())


def is_same_file_name(sent: str, held: str) -> bool:
    """Whether both are the name of one file: blanks, Unicode form and case may differ."""
    return file_name_form(sent) == file_name_form(held)


def file_name_form(name: str) -> str:
    """What all forms of a file's name have in common."""
    return normal_form(name).casefold()


def is_same_tag(sent: str, held: str) -> bool:
    """Whether both are one tag: services lower-case tags, and some join their words."""
    return _tag_form(sent) == _tag_form(held)


def is_cut_tag(sent: str, held: str) -> bool:
    """Whether the one may be the other, cut."""
    kept = _tag_form(held)
    return len(kept) >= SHORTEST_CUT_TAG and _tag_form(sent).startswith(kept)


def _tag_form(tag: str) -> str:
    return " ".join(normal_form(tag).casefold().replace("-", " ").replace("_", " ").split())


def is_same_value(sent: object, held: object) -> bool:
    """Whether the service may show a parameter that way: as text, as a double, in single precision.

    Both plain values. None held: the service says nothing.
    """
    if sent == held and isinstance(sent, bool) == isinstance(held, bool):
        return True
    if isinstance(sent, list | tuple) and isinstance(held, list | tuple):
        return len(sent) == len(held) and all(map(is_same_value, sent, held))
    one, other = _number(sent), _number(held)
    if one is not None and other is not None:
        return _is_same_number(one, other)
    if isinstance(sent, str) and isinstance(held, str):
        return is_same_text(sent, held)
    return False


def _is_same_number(sent: float, held: float) -> bool:
    if sent == held:
        return True
    if isinstance(sent, int) and isinstance(held, int) and max(abs(sent), abs(held)) < 2**24:
        return False
    try:
        doubled, shown = float(sent), float(held)
        if doubled == shown:
            return True
        single = _single(doubled)
    except OverflowError:
        return False
    # a whole number of that size is shown as the very one that single precision has
    return single == shown or (not float(shown).is_integer() and single == _single(shown))


def _single(number: float) -> float:
    """The number in single precision. Raises OverflowError for one that has none."""
    found: float = struct.unpack("f", struct.pack("f", number))[0]
    return found


def _number(value: object) -> int | float | None:
    """A number, a truth value as 0 or 1, or the text of one; None for all else."""
    if isinstance(value, str):
        return _number_in(value.strip())
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int):
        return value
    return value if isinstance(value, float) and math.isfinite(value) else None


def _number_in(text: str) -> int | float | None:
    if text.lower() in ("true", "false"):
        return int(text.lower() == "true")
    if len(text) > 40 or not text.isascii() or "_" in text:
        return None
    try:
        return int(text)
    except ValueError:
        pass
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
