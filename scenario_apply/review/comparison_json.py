"""A comparison as JSON: columns with what they are made of, rows with a cell for each column."""

from __future__ import annotations

import json

from scenario_apply.model import codec
from scenario_apply.review.comparison_view import CellView, ColumnHead, Comparison

_FORMAT_VERSION = "1.0"


def comparison_json(view: Comparison) -> str:
    """Format 1.x: readers ignore fields they do not know; a minor version adds fields, a major one breaks."""
    document = {"format_version": _FORMAT_VERSION, **comparison_values(view)}
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def comparison_values(view: Comparison) -> dict[str, object]:
    """The same as plain values. Distances are bits; None: not known."""
    return {
        "title": view.title,
        "distance": {"kind": view.distance_words, "bits": view.bits} if view.bits else None,
        "columns": [_column(head) for head in view.columns],
        "rows": [
            {
                "name": row.name,
                "prompt": row.prompt,
                "seed": row.seed,
                "settings": codec.plain(row.settings),
                "base": row.base or None,
                "words": row.words,
                "cells": [_cell(cell) for cell in row.cells],
            }
            for row in view.rows
        ],
    }


def _column(head: ColumnHead) -> dict[str, object]:
    weights = head.weights
    return {
        "title": head.title,
        "address": str(head.address),
        "version": None if weights is None else weights.number,
        "trained": None if weights is None else weights.training,
        "epoch": None if weights is None else weights.epoch,
        "place": head.place or None,
        "best": head.best or None,
        "differs": dict(head.facts),
        "cost": {"training": head.training_cu, "samples": head.samples_cu},
    }


def _cell(cell: CellView) -> dict[str, object]:
    return {
        "missing": cell.missing or None,
        "differs": cell.note or None,
        "pictures": [
            {
                "asset_id": picture.asset_id,
                "thumbnail": picture.thumbnail,
                "distance_to_previous": picture.from_previous,
                "previous": picture.previous or None,
                "distance_to_dataset": picture.from_dataset,
                "nearest": picture.nearest or None,
            }
            for picture in cell.pictures
        ],
    }
