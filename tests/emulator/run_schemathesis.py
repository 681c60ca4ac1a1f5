"""`python tests/emulator/run_schemathesis.py [COMMAND [EXAMPLES]]`: schemathesis from the contract, on the emulator.

COMMAND is schemathesis itself; left out, it is the one on the PATH, else one is installed into build/schemathesis, for
it need not live in this environment. EXAMPLES is per operation (25). It runs three times: with the ids of a trained
model and its belongings, with those of an untrained one, and with no ids at all. Exits with the worst code: 0 means no
5xx and no answer outside the contract, 3 that schemathesis could not be installed.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import threading
import venv
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scenario_apply.emulator.server import Server
    from scenario_apply.emulator.thread import EmulatorThread

ROOT = Path(__file__).resolve().parent.parent.parent
PACKAGE = "schemathesis==4.32.5"
NOT_RUN = 3
"""Exit code when there was nothing to run: neither passed nor failed, and never 0."""
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


def main(arguments: list[str]) -> int:
    """Start, seed, run."""
    sys.path.insert(0, str(ROOT))
    import httpx

    from scenario_apply.emulator.options import EmulatorOptions
    from scenario_apply.emulator.thread import EmulatorThread
    from tests.emulator.pictures import bare, data_url

    command = arguments[0] if arguments and arguments[0] else found()
    examples = arguments[1] if len(arguments) > 1 else "25"
    options = EmulatorOptions(rate_limit=0, training_s=0.5, allow_local_webhooks=True)
    with EmulatorThread(options) as emulator, httpx.Client(base_url=emulator.url, auth=("k", "s")) as api:
        model = api.post("/models", json={"name": "Kael", "type": "flux.1-lora"}).json()["model"]["id"]
        edit = api.post("/models", json={"type": "qwen-image-edit-lora"}).json()["model"]["id"]
        image = api.post(f"/models/{model}/training-images", json={"data": data_url(1), "name": "1.png"}).json()
        asset = api.post("/assets", json={"image": bare(2), "name": "2.png"}).json()["asset"]["id"]
        job = api.put(f"/models/{model}/train", json={}).json()["job"]["jobId"]
        body = {"fileName": "a.png", "contentType": "image/png", "kind": "image", "parts": 1, "fileSize": 10}
        upload = api.post("/uploads", json=body).json()["upload"]["id"]
        hook = {"url": "http://127.0.0.1:9/", "enabledEvents": ["asset.download.failed"]}
        endpoint = api.post("/projects/proj_default/webhook-endpoints", json=hook).json()["webhookEndpoint"]["id"]
        names = {
            "trainingImageId": image["trainingImage"]["id"],
            "assetId": asset,
            "jobId": job,
            "uploadId": upload,
            "projectId": "proj_default",
            "teamId": "team_default",
            "webhookEndpointId": endpoint,
        }
        with revived(emulator):
            codes = [run(command, emulator.url, names | {"modelId": one}, examples) for one in (model, edit)]
        codes.append(run(command, emulator.url, {}, examples))
        statuses = Counter(entry.status for entry in emulator.requests)
        print("answers:", ", ".join(f"{count} x {status}" for status, count in sorted(statuses.items())))
        return max(codes)


def found() -> str:
    """schemathesis itself, installed if need be."""
    on_path = shutil.which("schemathesis")
    if on_path is not None:
        return on_path
    home = ROOT / "build" / "schemathesis"
    command = home / "bin" / "schemathesis"
    if not command.exists():
        install = [str(home / "bin" / "python"), "-m", "pip", "install", "-q", "--disable-pip-version-check", PACKAGE]
        venv.create(home, with_pip=True, clear=True)
        if subprocess.run(install, check=False).returncode:
            print(f"{PACKAGE} could not be installed (see above), so it was NOT run", file=sys.stderr)
            raise SystemExit(NOT_RUN)
    return str(command)


@contextmanager
def revived(emulator: EmulatorThread) -> Iterator[None]:
    """Restore what schemathesis deletes a moment later, so that it has something left to test."""
    over = threading.Event()

    def revive(server: Server) -> None:
        for table in ("models", "assets"):
            server.world.db.run(f"UPDATE {table} SET deleted = NULL WHERE deleted IS NOT NULL")

    def work() -> None:
        while not over.wait(0.02):
            emulator._do(revive)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def run(command: str, url: str, names: dict[str, str], examples: str) -> int:
    """schemathesis with a configuration made for the occasion."""
    from tests.contract.request_bodies import document

    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "schemathesis.toml"
        lines = [f'"path.{name}" = "{value}"' for name, value in names.items()]
        if names:
            lines.append('"query.projectId" = "proj_default"')
        config.write_text("[parameters]\n" + "\n".join(lines) + "\n")
        contract = Path(folder) / "contract.json"
        contract.write_text(json.dumps(document()))
        arguments = ["--config-file", str(config), "run", str(contract), "--url", url, "--auth", "k:s"]
        arguments += ["--checks", CHECKS, "--max-examples", examples, "--seed", "1", "--continue-on-failure"]
        arguments += ["--suppress-health-check", "all", "--generation-database", "none", "--warnings", "off"]
        return subprocess.run([command, *arguments], cwd=folder, check=False).returncode


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
