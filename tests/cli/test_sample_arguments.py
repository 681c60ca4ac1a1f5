"""sample_arguments.py: which words are addresses, and what they name."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path
from typing import Any

import pytest

from scenario_apply.cli import main
from scenario_apply.cli.command_lines import again
from scenario_apply.cli.invocation import Invocation
from scenario_apply.cli.sample_arguments import with_addresses, with_children
from scenario_apply.cli.sample_drawing import COMMAND
from scenario_apply.cli.settings import Settings, read_settings
from scenario_apply.errors import UsageError
from scenario_apply.model.address import parse_address

KAEL, SLOW, FAST = map(parse_address, ("model.kael", "model.kael-lr/slow", "model.kael-lr/fast"))


def split(cwd: Path, *words: str) -> tuple[str | None, tuple[str, ...]]:
    call = Invocation(arguments=argparse.Namespace(words=[*words]), settings=Settings(cwd=str(cwd)))
    call, addresses = with_addresses(call)
    return call.settings.manifest, tuple(map(str, addresses))


def test_a_word_that_is_no_address_or_that_exists_is_the_manifest(tmp_path: Path) -> None:
    assert split(tmp_path) == (None, ())
    assert split(tmp_path, "model.kael", "m.yaml", "model.kael") == ("m.yaml", ("model.kael",))
    (tmp_path / "model.yaml").touch()
    assert split(tmp_path, "model.yaml") == ("model.yaml", ())
    with pytest.raises(UsageError):
        split(tmp_path, "model.")


def test_a_matrix_stands_for_its_children() -> None:
    known = [KAEL, SLOW, FAST]
    assert with_children([], known) is None
    assert with_children([parse_address("model.kael-lr")], known) == frozenset({SLOW, FAST})
    assert with_children([SLOW, KAEL], known) == frozenset({SLOW, KAEL})
    with pytest.raises(UsageError, match="neither declared nor recorded"):
        with_children([parse_address("model.kale")], known)


def asked(*words: str) -> tuple[dict[str, Any], Settings]:
    """A command line of samples draw, as the command reads it."""
    name, rest = main.find_command([*words])
    namespace = main.parser_of(name, main.load(name)).read(rest)
    call, addresses = with_addresses(Invocation(arguments=namespace, settings=read_settings(namespace, {}, cwd=".")))
    return {**vars(namespace), "draw": [str(address) for address in addresses], "words": []}, call.settings


@pytest.mark.parametrize(
    "line",
    [
        "samples draw model.kael model.kael-lr/slow 'my manifests' --limit samples_cost=5 --local --auto-approve",
        "samples draw model.kael --version 2 --auto-approve",
        "samples draw",
    ],
)
def test_the_command_that_goes_on_asks_for_the_same(line: str) -> None:
    options, settings = asked(*shlex.split(line))
    program, *typed = shlex.split(again(options, settings, COMMAND))
    assert program == "scenario-apply"
    options_again, settings_again = asked(*typed)
    assert settings_again == settings
    assert {key: options_again[key] for key in ("draw", "draw_version", "limit")} == {
        key: options[key] for key in ("draw", "draw_version", "limit")
    }
