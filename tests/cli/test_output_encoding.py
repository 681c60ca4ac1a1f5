"""Where there is no UTF-8, signs stay apart and JSON stays what it was."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scenario_apply.cli.output_encoding import adapt, for_people, for_programs
from scenario_apply.planning.changes import Action

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("encoding", ["ascii", "iso-8859-1", "cp1252"])
def test_every_sign_of_a_plan_is_told_from_the_others(encoding: str) -> None:
    signs = [action.sign for action in Action if action is not Action.NONE]
    assert len({for_people(sign, encoding) for sign in signs}) == len(set(signs))
    assert for_people("± ↻ … → ←", "ascii") == "+/- R ... > <"


@pytest.mark.parametrize("text", ["Ärger, 赤いマント, 🦊 …", "plain"])
def test_json_says_the_same_in_any_encoding(text: str) -> None:
    document = json.dumps({"caption": text}, ensure_ascii=False)
    for encoding in ("ascii", "iso-8859-1", "utf-8", "UTF8"):
        assert json.loads(for_programs(document, encoding).encode(encoding)) == {"caption": text}


def test_a_stream_takes_whatever_is_written_to_it() -> None:
    buffer = io.BytesIO()
    stream = io.TextIOWrapper(buffer, encoding="ascii", errors="strict")
    adapt(stream)
    stream.write("… ↻ é\n")
    stream.flush()
    assert buffer.getvalue() == b"... R ?\n"


def test_a_plan_in_a_latin_locale(tmp_path: Path) -> None:
    shutil.copytree(REPOSITORY / "manifests" / "quickstart" / "kael", tmp_path / "kael")
    (tmp_path / "scenario.yaml").write_text(
        "version: 1\ndatasets:\n  k: { images: ./kael, suffix: 赤い }\n"
        "models:\n  k: { type: flux.1-lora, dataset: k }\n",
        encoding="utf-8",
    )
    environment = {**os.environ, "PYTHONIOENCODING": "iso-8859-1", "PYTHONPATH": str(REPOSITORY)}
    for extra in ([], ["--format", "json"]):
        command = [sys.executable, "-m", "scenario_apply", "plan", "--no-refresh", *extra]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=True, timeout=30)
        text = done.stdout.decode("iso-8859-1")
        if extra:
            captions = [image["caption"] for image in json.loads(text)["changes"][0]["image_details"]]
            assert all(caption.endswith("赤い") for caption in captions)
        else:
            assert "... and 2 more images" in text
