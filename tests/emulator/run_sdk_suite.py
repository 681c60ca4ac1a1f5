"""`python tests/emulator/run_sdk_suite.py [SOURCE]`: the SDK's own tests against the emulator.

SOURCE is an unpacked source distribution of scenario-sdk 2.4.0, or its archive; left out, it is downloaded with pip.
Exits with pytest's exit code. `--list` prints what is left out or replaced, and why.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
VERSION = "2.4.0"
NOT_RUN = 3
"""Exit code when there was nothing to run: neither passed nor failed, and never 0."""


def main(arguments: list[str]) -> int:
    """Fetch if needed, unpack if needed, run."""
    sys.path.insert(0, str(ROOT))
    if "--list" in arguments:
        from tests.emulator.sdk_placeholders import REPLACED
        from tests.emulator.sdk_suite import LEFT_OUT

        for title, table in (("left out", LEFT_OUT), ("replaced", REPLACED)):
            print(title)
            for name, reason in table.items():
                print(f"  {name:60} {reason}")
        return 0
    with tempfile.TemporaryDirectory() as scratch:
        source = Path(arguments[0]) if arguments else download(Path(scratch))
        if source.is_file():
            source = unpack(source, Path(scratch))
        return run(source, Path(scratch))


def download(folder: Path) -> Path:
    """The source distribution, from the package index pip is set up for. Exits with 3 when it cannot be fetched."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--no-binary", "scenario-sdk", "-d", str(folder), f"scenario-sdk=={VERSION}"]
    if subprocess.run(command, check=False).returncode:
        print(
            f"the source distribution of scenario-sdk {VERSION} could not be fetched (see above), so its tests were NOT"
            f" run; give its path: python {Path(__file__).relative_to(ROOT)} scenario_sdk-{VERSION}.tar.gz",
            file=sys.stderr,
        )
        raise SystemExit(NOT_RUN)
    return next(folder.glob("*.tar.gz"))


def unpack(archive: Path, folder: Path) -> Path:
    """The archive's one folder."""
    with tarfile.open(archive) as opened:
        opened.extractall(folder, filter="data")
    return folder / f"scenario_sdk-{VERSION}"


def run(source: Path, scratch: Path) -> int:
    """pytest in the SDK's tree, with our plugin; the tree's own configuration and fixtures stay out of it."""
    from tests.emulator.sdk_suite import MODULES

    (scratch / "empty.ini").write_text("[pytest]\nanyio_mode = auto\n")
    paths = [str(source / "tests" / "api_resources" / module) for module in MODULES]
    command = [sys.executable, "-m", "pytest", "-q", "--noconftest", "-c", str(scratch / "empty.ini")]
    command += ["--rootdir", str(source), "-p", "emulator.sdk_suite", "-p", "no:cacheprovider", *paths]
    # `tests` must be the SDK's package there, so ours is reached as `emulator`, from inside our tests folder
    path = f"{source}:{ROOT / 'tests'}:{ROOT}"
    return subprocess.run(command, cwd=source, env=_environment(path), check=False).returncode


def _environment(path: str) -> dict[str, str]:
    return os.environ | {"PYTHONPATH": path}


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
