"""Imports point one way: faces -> effects -> core -> errors; the emulator is a neighbour. Read from the source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "scenario_apply"
NAME = "scenario_apply"
MODULES = sorted(PACKAGE.rglob("*.py"))

BELOW = {
    "errors": set[str](),
    "version": set[str](),
    "core": {"errors", "version"},
    "effects": {"core", "errors", "version"},
    "faces": {"effects", "core", "errors", "version"},
    "__main__": {"faces", "errors", "version"},
    "__init__": {"version"},
    "emulator": set[str](),
}
"""Room -> the rooms it may import besides itself."""

OPENS_THE_EMULATOR = {"cli/wiring.py", "cli/local_service.py", "cli/commands/emulator.py"}

WORLD = {
    *("asyncio", "fcntl", "ftplib", "getpass", "glob", "http", "httpx", "locale", "logging", "mmap", "os"),
    *("pathlib", "platform", "random", "requests", "rich", "secrets", "select", "shutil", "signal", "socket"),
    *("sqlite3", "ssl", "subprocess", "sys", "tempfile", "threading", "time", "urllib3", "uuid", "PIL"),
}
"""What touches disk, net, clock, environment, terminal or chance: nothing for core."""

EXCEPTIONS = {
    "dataset/image_headers.py": {"mmap"},  # the type of the bytes it is handed
}


@dataclass(frozen=True, slots=True)
class Import:
    line: int
    module: str
    at_start: bool  # at the module's top level: everybody who imports the module pays for it


def imports_of(path: Path) -> Iterator[Import]:
    """Every import of a file, those of types included."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    top = set(map(id, tree.body))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (Import(node.lineno, alias.name, id(node) in top) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno} a relative import"
            assert node.module is not None
            yield Import(node.lineno, node.module, id(node) in top)
            if node.module == NAME:
                yield from (Import(node.lineno, f"{NAME}.{alias.name}", id(node) in top) for alias in node.names)


def shown(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", MODULES, ids=shown)
def test_imports_point_down(path: Path) -> None:
    """No room imports one above it, and none but three files the emulator."""
    room = room_of(path)
    allowed = BELOW[room] | {room}
    for found in imports_of(path):
        top, _, rest = found.module.partition(".")
        if top != NAME or not rest:
            continue
        other = rest.split(".")[0]
        if other == "emulator" and shown(path) in OPENS_THE_EMULATOR:
            assert not found.at_start, f"{shown(path)}:{found.line} imports the emulator whether or not it is wanted"
            continue
        assert other in allowed, f"{shown(path)}:{found.line} imports {found.module}"


@pytest.mark.parametrize("path", [p for p in MODULES if room_of(p) in ("core", "errors")], ids=shown)
def test_core_sees_no_world(path: Path) -> None:
    """No disk, net, clock, environment, terminal or chance."""
    for found in imports_of(path):
        top = found.module.split(".")[0]
        assert top not in WORLD - EXCEPTIONS.get(shown(path), set()), f"{shown(path)}:{found.line} {found.module}"
    calls = (node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call))
    for call in calls:
        if isinstance(call.func, ast.Name):
            assert call.func.id not in ("open", "print", "input"), f"{shown(path)}:{call.lineno}"
        if isinstance(call.func, ast.Attribute):
            assert call.func.attr not in ("now", "utcnow", "today"), f"{shown(path)}:{call.lineno} asks a clock"


def test_one_file_imports_requests() -> None:
    users = {shown(path) for path in MODULES if any(i.module.split(".")[0] == "requests" for i in imports_of(path))}
    assert users == {"api/transport.py"}


def test_views_show_and_never_act() -> None:
    """A view is given values: of the effects it knows the seams only."""
    for path in sorted((PACKAGE / "faces" / "views").glob("*.py")):
        for found in imports_of(path):
            is_effect = found.module.startswith(f"{NAME}.effects")
            assert not is_effect or found.module == f"{NAME}.effects.ports", f"{shown(path)}:{found.line}"


@pytest.mark.parametrize("path", MODULES, ids=shown)
def test_a_module_says_what_it_owns(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("path", MODULES, ids=shown)
def test_no_file_hides_its_subject(path: Path) -> None:
    assert not {"utils", "util", "helpers", "helper", "manager", "managers", "misc", "common"} & set(
        path.relative_to(PACKAGE).with_suffix("").parts
    )
