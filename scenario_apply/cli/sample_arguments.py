"""The words of the samples commands: addresses, and the manifest among them."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from scenario_apply.cli.address_arguments import address_of
from scenario_apply.errors import UsageError
from scenario_apply.model.address import KINDS, Address

if TYPE_CHECKING:
    from scenario_apply.cli.invocation import Invocation


def address_words(parser: argparse.ArgumentParser) -> None:
    """[ADDRESS...] [MANIFEST]: see with_addresses."""
    parser.add_argument(
        "words",
        nargs="*",
        metavar="ADDRESS",
        help="such as model.kael, or model.kael-lr, all children of a matrix (default: everything that is declared). A "
        "word that is no address is the MANIFEST",
    )


def with_addresses(call: Invocation) -> tuple[Invocation, tuple[Address, ...]]:
    """The command with its manifest, and the addresses that were typed. Raises UsageError."""
    addresses: list[Address] = []
    others: list[str] = []
    for word in call.arguments.words:
        if word.partition(".")[0] in KINDS and not os.path.exists(os.path.join(call.settings.cwd, word)):
            addresses.append(address_of(word))
        else:
            others.append(word)
    if len(others) > 1:
        raise UsageError(f"unexpected argument {others[1]!r}", hint="samples takes addresses and one manifest")
    manifest = others[0] if others else call.settings.manifest
    return replace(call, settings=replace(call.settings, manifest=manifest)), tuple(dict.fromkeys(addresses))


def with_children(addresses: Sequence[Address], known: Sequence[Address]) -> frozenset[Address] | None:
    """The known resources that are named; a matrix stands for its children. None: all. Raises UsageError."""
    from scenario_apply.model.did_you_mean import did_you_mean

    if not addresses:
        return None
    found: set[Address] = set()
    for address in addresses:
        fitting = {one for one in known if one == address or (not address.label and _family(one) == _family(address))}
        if not fitting:
            hint = did_you_mean(str(address), map(str, known))
            raise UsageError(f"{address} is neither declared nor recorded", hint=hint)
        found |= fitting
    return frozenset(found)


def _family(address: Address) -> tuple[str, str]:
    return address.kind, address.name
