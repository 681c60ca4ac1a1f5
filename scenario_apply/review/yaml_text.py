"""Plain values as YAML that this tool reads back as the same values, in the order given."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

from scenario_apply.review.printable import is_harmless, yaml_escaped

if TYPE_CHECKING:
    import yaml

# What YAML 1.2 takes for a number although PyYAML, which speaks 1.1, would leave it unquoted.
_NUMBER_LIKE = re.compile(r"[-+]?(\.?\d[\d._]*([eE][-+]?\d+)?|0[xob][\da-fA-F_]+|\.(inf|nan))", re.IGNORECASE)


def yaml_text(values: Mapping[str, object]) -> str:
    """The values as a YAML document."""
    import yaml

    text: str = yaml.dump(
        dict(values), Dumper=_dumper(), sort_keys=False, allow_unicode=True, width=100, default_flow_style=False
    )
    return yaml_escaped(text)


@lru_cache(maxsize=1)
def _dumper() -> type[yaml.SafeDumper]:
    import yaml

    class Dumper(yaml.SafeDumper):
        def ignore_aliases(self, data: object) -> bool:
            return True

    def text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
        style = "|" if "\n" in value.rstrip("\n") and value.isascii() and "\t" not in value else None
        if _NUMBER_LIKE.fullmatch(value):
            style = "'"
        if not is_harmless(value.replace("\n", "")):
            style = '"'  # the only one in which yaml_escaped can spell a character
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)

    def real(dumper: yaml.SafeDumper, value: float) -> yaml.ScalarNode:
        if value != value or value in (float("inf"), float("-inf")):
            return dumper.represent_float(value)
        # YAML 1.1, which PyYAML speaks, takes 5e-05 for a text: with a point and a sign it is a number to everybody
        mantissa, e, exponent = repr(value).partition("e")
        point = "" if "." in mantissa or not e else ".0"
        sign = "" if not e or exponent[:1] in "+-" else "+"
        return dumper.represent_scalar("tag:yaml.org,2002:float", f"{mantissa}{point}{e}{sign}{exponent}")

    Dumper.add_representer(str, text)
    Dumper.add_representer(float, real)
    return Dumper
