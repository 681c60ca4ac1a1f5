"""Numbers as people write them where YAML reads text: another minus, a decimal comma, marks between thousands."""

from __future__ import annotations

import re
import unicodedata

_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2212\ufe63\uff0d"
_BLANKS = r"[\s\u00a0\u2009\u202f\u200b\u2060\ufeff]"
_PLAIN = r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?"
_POWER = r"([-+]?\d+(?:\.\d+)?)[x\u00d7*\u00b7]10(?:\^|\*\*)?([-+]?\d+)"
_POWER_ALONE = r"10(?:\^|\*\*)([-+]?\d+)"
_THOUSANDS = r"[-+]?\d{1,3}(?:[,.'\u2019_]\d{3})+"
_MARKS = r"[,.'\u2019_]"
_RAISED = str.maketrans("\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079\u207b\u207a", "0123456789-+")
_LONGEST = 60


def number_hint(text: str, *, whole: bool, quoted: bool) -> str | None:
    """How to write the number that a text means; None when it does not look like one.

    whole: a whole number is wanted, so that 2,000 is two thousand. quoted: the text is in quotes in the file.
    """
    if len(text) > _LONGEST:
        return None
    sign = next((c for c in text if c in _DASHES), None)
    raised = any(c in text for c in "\u207b\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079\u2070")
    plain = (
        text.translate(_RAISED)
        if not raised
        else re.sub(
            r"10([\u2070\u00b9\u00b2\u00b3\u2074-\u2079\u207a\u207b]+)", lambda m: "10^" + m[1].translate(_RAISED), text
        )
    )
    plain = unicodedata.normalize("NFKC", plain)
    for dash in _DASHES:
        plain = plain.replace(dash, "-")
    plain = re.sub(_BLANKS, "", plain)
    has_blank = re.search(_BLANKS, text.strip()) is not None
    if re.fullmatch(_PLAIN, plain) and not (whole and re.fullmatch(_THOUSANDS, plain)):
        if sign is not None:
            return f"{sign} is U+{ord(sign):04X}, not a minus sign: write {plain}"
        if has_blank:
            return f"write {plain} without blanks"
        if plain != text.strip():
            return f"write {plain} in plain digits"
        return f"write {plain} without quotes" if quoted else f"write {plain}"
    return _in_other_marks(plain, whole=whole)


def _in_other_marks(plain: str, *, whole: bool) -> str | None:
    """The hint for a number with a comma, with marks between thousands, or as a power of ten."""
    power = re.fullmatch(_POWER, plain)
    if power is not None:
        return f"write {power[1]}e{int(power[2])}"
    alone = re.fullmatch(_POWER_ALONE, plain)
    if alone is not None:
        return f"write 1e{int(alone[1])}"
    if re.fullmatch(_THOUSANDS, plain) and (whole or not re.fullmatch(r"[-+]?0[,.]\d+|[^,.]*[,.][^,.]*", plain)):
        return f"write {re.sub(_MARKS, '', plain)} without marks"
    pointed = plain.replace(",", ".")
    if plain.count(",") == 1 and re.fullmatch(_PLAIN, pointed):
        return f"write {pointed} with a point"
    unmarked = re.sub(r"['\u2019_]", "", plain)
    if re.fullmatch(_PLAIN, unmarked):
        return f"write {unmarked} without marks"
    times = re.fullmatch(r"([-+]?\d+(?:\.\d+)?)[kK]", plain)
    if times is not None:
        return f"write {float(times[1]) * 1000:g}"
    ratio = re.fullmatch(r"(\d+(?:\.\d+)?)/(\d+)", plain)
    if ratio is not None and int(ratio[2]):
        return f"write {float(ratio[1]) / int(ratio[2]):g}"
    percent = re.fullmatch(r"([-+]?\d+(?:\.\d+)?)%", plain)
    if percent is not None and not whole:
        return f"write {float(percent[1]) / 100:g}"
    unit = re.fullmatch(rf"({_PLAIN})(?:[A-Za-z]+|%)", plain)
    return f"write {unit[1]} without a unit" if unit is not None else None
