"""Run the shell blocks of the pages, in order, in working folders of their own, against the embedded Scenario.

    python -m tests.docs.run_blocks                    all pages; about two minutes
    python -m tests.docs.run_blocks docs/tutorial.md   these

Each block is a bash script of its own. Files of blocks marked `file:` are written on the way, and what a block marked
`output` shows has to be among what the block before it printed. Trainings take half a second, or as long as
SCENARIO_APPLY_LOCAL_TRAINING_SECONDS says: every block has to pass whatever it is, since machines differ.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.docs.code_blocks import BLOCKS, ROOT, SHELL, CodeBlock, commands
from tests.fakes.installed_tool import install_tool

SECONDS = 600  # of one block: for what hangs, not for a slow machine
_TRAINING = "SCENARIO_APPLY_LOCAL_TRAINING_SECONDS"
SETUPS = ("quickstart", "examples", "pictures", "empty")


class BlockFailed(Exception):
    """A block did not do what its page says; the text names the place and shows what was printed."""


def run_page(blocks: list[CodeBlock], home: Path) -> int:
    """Run the blocks of one page in folders below home; how many shell blocks ran. Raises BlockFailed."""
    work: Path | None = None
    printed, ran = "", 0
    for block in blocks:
        if "setup" in block.marks:
            work = set_up(block.marks["setup"], home / f"work{block.line}")
        needs_folder = "file" in block.marks or (block.language in SHELL and not block.is_left_out)
        if work is None:
            if needs_folder:
                raise BlockFailed(f"{block.place}: no setup above it")
            continue
        if "file" in block.marks:
            target = work / block.marks["file"]
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(block.text, encoding="utf-8")
        elif block.language in SHELL and not block.is_left_out:
            printed = run_block(block, work, home)
            ran += 1
        elif "output" in block.marks:
            compare(block, printed)
    return ran


def set_up(kind: str, work: Path) -> Path:
    """A working folder. pictures: with a folder `pictures` of eight captioned images and nothing else."""
    without = shutil.ignore_patterns(".scenario", "state")
    if kind == "quickstart":
        shutil.copytree(ROOT / "manifests" / "quickstart", work, ignore=without)
    elif kind == "examples":
        shutil.copytree(ROOT / "manifests", work / "manifests", ignore=without)
    elif kind == "pictures":
        shutil.copytree(ROOT / "manifests" / "quickstart" / "kael", work / "pictures")
    else:
        assert kind == "empty", f"setup is one of {', '.join(SETUPS)}, not {kind}"
        work.mkdir(parents=True)
    return work


def run_block(block: CodeBlock, work: Path, home: Path) -> str:
    """What the block printed, on both streams. Raises BlockFailed for another exit code than its mark says."""
    script = block.text if block.language == "sh" else "\n".join(commands(block))
    done = subprocess.run(
        ["bash", "--norc", "-c", f"set -euo pipefail\n{script}"],
        cwd=work,
        env=environment(home),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
    )
    expected = int(block.marks.get("exit", "0"))
    if done.returncode != expected:
        raise BlockFailed(f"{block.place}: exit code {done.returncode}, not {expected}\n{script}\n{done.stdout}")
    return done.stdout


def compare(block: CodeBlock, printed: str) -> None:
    """Raises BlockFailed when a line of the block was not printed, in the order of the block."""
    rest = [line.strip() for line in printed.splitlines()]
    for line in filter(None, map(str.strip, block.text.splitlines())):
        pattern = re.compile(".*".join(map(re.escape, line.split("…"))))
        found = next((number for number, other in enumerate(rest) if pattern.fullmatch(other)), None)
        if found is None:
            raise BlockFailed(f"{block.place}: this line was not printed: {line}\n{printed}")
        rest = rest[found + 1 :]


def environment(home: Path) -> dict[str, str]:
    """A home of its own, no credentials, quick trainings, and scenario-apply on the path."""
    program = home / "bin" / "scenario-apply"
    if not program.exists():
        install_tool(program, "-P", "-m", "scenario_apply")
    kept = {name: os.environ[name] for name in ("LANG", "TMPDIR", _TRAINING) if name in os.environ}
    paths = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    return {_TRAINING: "0.5"} | kept | {"HOME": str(home), "PATH": paths, "COLUMNS": "80"}


def main(pages: list[str]) -> int:
    """The exit code: 1 when a block of one page failed; the other pages are run all the same."""
    wanted = dict.fromkeys(block.page for block in BLOCKS if not pages or block.page in pages)
    unknown = set(pages) - set(wanted)
    if unknown:
        print(f"no code blocks in {', '.join(sorted(unknown))}")
        return 1
    failed = 0
    for page in wanted:
        with tempfile.TemporaryDirectory() as folder:
            try:
                ran = run_page([block for block in BLOCKS if block.page == page], Path(folder))
            except (BlockFailed, subprocess.TimeoutExpired) as error:
                failed += 1
                print(f"FAILED {error}")
            else:
                if ran:
                    print(f"{page}: {ran} blocks")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
