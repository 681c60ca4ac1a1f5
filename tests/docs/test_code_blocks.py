"""Every code block of the pages is run, or says why it is not; data is read by the real readers.

The shell blocks take minutes and are run by `.ci/run docs` (tests/docs/run_blocks.py); the command lines in them are
parsed here, and one page is run.
"""

from __future__ import annotations

import json
import re
import shlex
from itertools import takewhile
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from scenario_apply.cli.command_table import MODULES
from scenario_apply.cli.main import load, parser_of
from scenario_apply.manifest.loader.load import load_manifest
from tests.docs.code_blocks import BLOCKS, PAGES, ROOT, SHELL, CodeBlock, commands
from tests.docs.run_blocks import SETUPS, BlockFailed, compare, run_page

SCHEMAS = {
    name: json.loads((ROOT / f"schema/{name}.schema.json").read_text("utf-8")) for name in ("manifest", "plan", "state")
}
MANIFEST_KEYS = set(SCHEMAS["manifest"]["properties"])
KNOWN_MARKS = {"setup", "not run", "run by", "file", "output", "exit", "rego", "data"}
LANGUAGES = {"sh", "console", "yaml", "json", "jsonl", "text", "python", "rego", "csv", "diff", "mermaid", "toml"}
QUICK_PAGE = "docs/how-to/sweep.md"


def places(blocks: list[CodeBlock]) -> Any:
    return [pytest.param(block, id=block.place) for block in blocks]


def of(*languages: str) -> list[CodeBlock]:
    return [block for block in BLOCKS if block.language in languages and not block.is_left_out]


def test_every_block_says_what_it_is() -> None:
    """A language that is known, marks that are known, and a reason where something is not run."""
    for block in BLOCKS:
        if block.language == "{toctree}":
            continue
        assert block.language in LANGUAGES, f"{block.place}: name the language of the block"
        assert set(block.marks) <= KNOWN_MARKS, block.place
        assert "not run" not in block.marks or len(block.marks["not run"]) > 10, f"{block.place}: say why"
        assert block.marks.get("setup", "empty") in SETUPS, block.place
        if block.language in ("python", "rego", "toml"):
            assert block.is_left_out or "rego" in block.marks, (
                f"{block.place}: say which test runs it, or why none does"
            )


def test_shell_blocks_have_a_folder_to_run_in() -> None:
    started: set[str] = set()
    for block in BLOCKS:
        started |= {block.page} if "setup" in block.marks else set()
        if block.language in SHELL and not block.is_left_out:
            assert block.page in started, f"{block.place}: no setup above it"


def test_files_named_in_tests_exist() -> None:
    for block in BLOCKS:
        if "run by" in block.marks:
            assert (ROOT / block.marks["run by"].split("::")[0]).exists(), block.place


@pytest.mark.parametrize("block", places([block for block in BLOCKS if block.language in SHELL]))
def test_command_lines_are_accepted(block: CodeBlock) -> None:
    """Each `scenario-apply ...` with the parser of its command: no option that does not exist, run or not."""
    for line in commands(block):
        for words in invocations(line):
            name = next((n for n in (" ".join(words[:2]), words[0]) if n in MODULES), None)
            if words[0].startswith("-") or words[-1].startswith("COMMAND"):
                continue
            assert name is not None, f"{block.place}: {words[0]} is no command"
            parser_of(name, load(name)).parse_args(words[len(name.split()) :])


def test_command_lines_in_sentences_are_accepted() -> None:
    """`scenario-apply ...` in the prose of a page: with the parser of its command, too."""
    found = 0
    for page in PAGES:
        for text in re.findall(r"`(scenario-apply [a-z][^`\n]*)`", page.read_text(encoding="utf-8")):
            block = CodeBlock(page=page.name, line=0, language="sh", text=f"{text}\n", marks={})
            if text.removeprefix("scenario-apply ") in MODULES or re.search(r"\.\.\.|\b[A-Z]{3,}\b", text):
                continue  # named only, or with placeholders
            test_command_lines_are_accepted(block)
            found += 1
    assert found > 5


def invocations(line: str) -> list[list[str]]:
    """The words after each scenario-apply of a command line, up to what ends the command."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.wordchars += "%,:@+="
    lexer.commenters = "#"
    words = list(lexer)
    found = []
    for start, word in enumerate(words):
        if word == "scenario-apply" and words[start + 1 : start + 2] not in ([], ["emulator"]):
            rest = words[start + 1 :]
            end = next((n for n, w in enumerate(rest) if w and set(w) <= set("|&;()<>")), len(rest))
            if end and not (rest[end:] and rest[end - 1] in ("1", "2")):
                found.append(rest[:end])
    return found


@pytest.mark.parametrize("block", places(of("yaml")))
def test_yaml_is_a_manifest_or_named_otherwise(block: CodeBlock, tmp_path: Path) -> None:
    """With the real loader; `version: 1` is added to a part of a manifest. No picture is looked at."""
    value = yaml.safe_load(block.text)
    if not isinstance(value, dict) or not set(value) <= MANIFEST_KEYS:
        assert {"file", "data"} & set(block.marks), f"{block.place}: no manifest; mark it `file:` or `not run:`"
        return
    for other in BLOCKS:
        if other.page == block.page and "file" in other.marks:
            (tmp_path / other.marks["file"]).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / other.marks["file"]).write_text(other.text, encoding="utf-8")
    text = block.text if "version" in value else f"version: 1\n{block.text}"
    (tmp_path / "shown.yaml").write_text(text, encoding="utf-8")
    manifest = load_manifest(
        "shown.yaml", variables={}, var_files=[], env={"SCENARIO_PROJECT_ID": "proj_1"}, cwd=str(tmp_path)
    )
    assert [p.message for p in manifest.problems if p.severity == "error"] == []


@pytest.mark.parametrize("block", places(of("json", "jsonl")))
def test_json_is_read_and_fits_its_schema(block: CodeBlock) -> None:
    for text in block.text.splitlines() if block.language == "jsonl" else [block.text]:
        value = json.loads(text)
        if isinstance(value, dict) and "format_version" in value:
            jsonschema.validate(value, SCHEMAS["plan" if "changes" in value else "state"])


def test_one_page_is_run_as_far_as_it_is_offline(tmp_path: Path) -> None:
    """`.ci/run docs` runs the rest, and the others."""
    page = [block for block in BLOCKS if block.page == QUICK_PAGE]
    assert run_page(list(takewhile(lambda block: "--local" not in block.text, page)), tmp_path) == 2


def test_output_is_compared_line_by_line() -> None:
    block = CodeBlock(page="p", line=1, language="text", text="one … three\nfour\n", marks={"output": ""})
    compare(block, "zero\none two three\nfour\n")
    with pytest.raises(BlockFailed, match="four"):
        compare(block, "four\none two three\n")
