"""The bytes of a manifest -> text: size, encoding and binary files, each refused with its position."""

from __future__ import annotations

from scenario_apply.manifest.report import Report
from scenario_apply.model.git_content import conflict_line, is_pointer

LARGEST_FILE_BYTES = 10_000_000


def decoded(name: str, data: bytes, report: Report) -> str | None:
    """The text, which is added to the report; None after an error, which is reported."""
    place = report.place_at(name, 0, 0)
    if len(data) > LARGEST_FILE_BYTES:
        size = len(data) / 1e6
        report.error(
            "too-large", f"{size:.1f} MB of YAML; at most 10 MB are allowed", place, "split it into several files"
        )
        return None
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        report.error("not-utf-8", "the file is UTF-16", place, "save it as UTF-8")
        return None
    data = data.removeprefix(b"\xef\xbb\xbf")
    if b"\0" in data:
        report.error("not-text", "this is a binary file, not YAML", place, "name the YAML file, or its folder")
        return None
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line, column = before.count(b"\n"), error.start - (before.rfind(b"\n") + 1)
        report.add_source(name, data.decode(errors="replace"))
        where = report.place_at(name, line, column)
        report.error("not-utf-8", f"byte 0x{data[error.start]:02x} is not UTF-8", where, "save the file as UTF-8")
        return None
    report.add_source(name, text)
    if is_pointer(data):
        hint = "run `git lfs pull`, or take the file out of .gitattributes"
        report.error("git-lfs", "the file is a Git LFS pointer, not the manifest itself", place, hint)
        return None
    conflict = conflict_line(text)
    if conflict is not None:
        hint = "keep one version and delete the lines with <<<<<<<, ======= and >>>>>>>"
        report.error("merge-conflict", "conflict markers of a Git merge", report.place_at(name, conflict - 1, 0), hint)
        return None
    return text
