"""Imports point one way, pure modules touch nothing of the machine, there is no circle, and no name is used twice.

Read from the source: imports in functions and under TYPE_CHECKING count like any other.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "scenario_apply"
NAME = "scenario_apply"
MODULES = sorted(PACKAGE.rglob("*.py"))

RANK = {
    "errors": 0,
    "version": 0,
    "model": 1,
    "manifest": 2,
    "state": 2,
    "api": 2,
    "dataset": 3,
    "planning": 4,
    "apply": 5,
    "review": 6,
    "ci": 7,
    "fleet": 7,
    "cli": 8,
    "__main__": 9,
    "__init__": 9,
}
"""A subject may import those of a lower rank, and those of its own. The emulator imports nothing but the version."""

OPENS_THE_EMULATOR = {"cli/wiring.py", "cli/local_service.py", "cli/commands/emulator.py"}

PURE = ("errors", "model", "planning", "review", "manifest", "dataset", "state")
TOUCHES_THE_MACHINE = ("manifest/loader/", "dataset/scan/", "state/stores/")
"""Folders of otherwise pure subjects that read and write files."""

PURE_TOO = {
    *("apply/schedule.py", "apply/error_rules.py", "apply/run_snapshot.py", "apply/events.py"),
    *("apply/ledger.py", "apply/next_command.py"),
}

MACHINE = {
    *("asyncio", "concurrent", "fcntl", "ftplib", "getpass", "glob", "http", "httpx", "locale", "logging", "mmap"),
    *("multiprocessing", "os", "pathlib", "platform", "random", "requests", "rich", "secrets", "select", "shutil"),
    *("signal", "socket", "sqlite3", "ssl", "subprocess", "sys", "tempfile", "threading", "time", "urllib3", "uuid"),
    *("PIL", "argparse"),
}
"""What touches disk, network, clock, environment, terminal or chance."""

EXCEPTIONS = {
    "dataset/image_headers.py": {"mmap"},  # the type of the bytes it is handed
    "model/codec.py": {"threading"},  # a lock around what msgspec builds without one
}

MAY_SHARE_A_NAME = {"__init__.py", "__main__.py", "types.py"}


@dataclass(frozen=True, slots=True)
class Import:
    line: int
    module: str
    at_start: bool  # at the module's top level: everybody who imports the module pays for it


@cache
def tree_of(path: Path) -> ast.Module:
    """The parsed source of a file; every test reads it."""
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def imports_of(path: Path) -> tuple[Import, ...]:
    """Every import of a file, those of types included."""
    return tuple(_imports_of(path, tree_of(path)))


def _imports_of(path: Path, tree: ast.Module) -> Iterator[Import]:
    top = set(map(id, tree.body))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (Import(node.lineno, alias.name, id(node) in top) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno} a relative import"
            assert node.module is not None
            yield Import(node.lineno, node.module, id(node) in top)
            yield from (Import(node.lineno, f"{node.module}.{alias.name}", id(node) in top) for alias in node.names)


def shown(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def subject_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def is_pure(path: Path) -> bool:
    name = shown(path)
    if name in PURE_TOO:
        return True
    return subject_of(path) in PURE and not name.startswith(TOUCHES_THE_MACHINE)


def test_imports_point_down() -> None:
    """No subject imports one above it, and none but three files the emulator."""
    assert [fault for path in MODULES for fault in wrong_imports(path)] == []


def wrong_imports(path: Path) -> Iterator[str]:
    """Where a file imports what it should not, and why not."""
    subject = subject_of(path)
    for found in imports_of(path):
        top, _, rest = found.module.partition(".")
        if top != NAME or not rest:
            continue
        other = rest.split(".")[0]
        where = f"{shown(path)}:{found.line} imports {found.module}"
        if subject == "emulator":
            if other not in ("emulator", "version"):
                yield where
        elif other == "emulator":
            if shown(path) not in OPENS_THE_EMULATOR:
                yield where
            elif found.at_start:
                yield f"{where} whether or not it is wanted"
        elif RANK[other] > RANK[subject]:
            yield where


def test_pure_modules_touch_nothing() -> None:
    """No disk, network, clock, environment, terminal, thread or chance."""
    assert [fault for path in MODULES if is_pure(path) for fault in impurities(path)] == []


def impurities(path: Path) -> Iterator[str]:
    """What a file imports or calls that touches the machine."""
    for found in imports_of(path):
        if found.module.split(".")[0] in MACHINE - EXCEPTIONS.get(shown(path), set()):
            yield f"{shown(path)}:{found.line} {found.module}"
    for call in ast.walk(tree_of(path)):
        if not isinstance(call, ast.Call):
            continue
        if isinstance(call.func, ast.Name) and call.func.id in ("open", "print", "input"):
            yield f"{shown(path)}:{call.lineno} calls {call.func.id}"
        if isinstance(call.func, ast.Attribute) and call.func.attr in ("now", "utcnow", "today"):
            yield f"{shown(path)}:{call.lineno} asks a clock"


def test_there_is_no_circle_of_imports() -> None:
    names = {
        f"{NAME}.{shown(path).removesuffix('.py').replace('/', '.')}".removesuffix(".__init__"): path
        for path in MODULES
    }
    graph: dict[str, set[str]] = {name: set() for name in names}
    for name, path in names.items():
        for found in imports_of(path):
            target = found.module
            while target and target not in names:
                target = target.rpartition(".")[0]
            inside_own_package = path.name == "__init__.py" and target.startswith(f"{name}.")
            if target and target not in (name, NAME) and not name.startswith(f"{target}.") and not inside_own_package:
                graph[name].add(target)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_no_name_is_used_twice() -> None:
    """Neither of a file nor of a public class; the emulator is a neighbour with names of its own."""
    files: dict[str, list[str]] = defaultdict(list)
    classes: dict[str, list[str]] = defaultdict(list)
    for path in MODULES:
        if subject_of(path) == "emulator":
            continue
        if path.name not in MAY_SHARE_A_NAME and not shown(path).startswith("cli/commands/"):
            files[path.name].append(shown(path))
        for node in tree_of(path).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                classes[node.name].append(shown(path))
    assert {name: where for name, where in files.items() if len(where) > 1} == {}
    assert {name: where for name, where in classes.items() if len(where) > 1} == {}


def test_only_the_transport_imports_requests() -> None:
    users = {shown(path) for path in MODULES if any(i.module.split(".")[0] == "requests" for i in imports_of(path))}
    assert users == {"api/transport.py", "api/exchange_deadline.py"}


def test_a_module_says_what_it_owns() -> None:
    assert [shown(path) for path in MODULES if not ast.get_docstring(tree_of(path))] == []


def test_no_file_hides_its_subject() -> None:
    hiding = {"utils", "util", "helpers", "helper", "manager", "managers", "misc", "common"}
    assert [shown(path) for path in MODULES if hiding & set(path.relative_to(PACKAGE).with_suffix("").parts)] == []
