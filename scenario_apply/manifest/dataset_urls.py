"""Checks the URLs in a dataset as declared, before anything is asked for."""

from __future__ import annotations

from collections.abc import Iterator

from scenario_apply.manifest.fields import child, maps
from scenario_apply.manifest.positions import Map, Mark, Seq
from scenario_apply.manifest.report import Report
from scenario_apply.model.remote_urls import has_credentials, is_url, url_problem


def check_urls(fields: Map, report: Report) -> None:
    """Reports URLs that cannot be read. One that holds credentials is not shown."""
    for url, mark in _urls(fields):
        problem = url_problem(url)
        if problem is not None:
            if has_credentials(url):
                report.hide(url)
            report.error("dataset-url", problem[0], mark, problem[1])


def _urls(fields: Map) -> Iterator[tuple[str, Mark]]:
    places = [(fields, key) for key in ("images", "before", "after", "captions", "pairs") if key in fields]
    for block, keys in ((child(fields, "captions"), ("file",)), (child(fields, "pairs"), ("folder", "table"))):
        places += [(block, key) for key in keys] if block is not None else []
    places += [(entry, key) for entry, _ in maps(fields, "pairs") for key in ("before", "after")]
    for block, key in places:
        value = block.get(key)
        if isinstance(value, str) and is_url(value):
            yield value, block.value_mark(key)
        elif isinstance(value, Seq):
            items = zip(value, value.marks, strict=True)
            yield from ((item, mark) for item, mark in items if isinstance(item, str) and is_url(item))
