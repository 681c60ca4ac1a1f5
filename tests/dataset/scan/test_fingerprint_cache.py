"""dataset.scan.fingerprint_cache: its database in memory; what it keeps is tested with the scanner."""

from __future__ import annotations

import gc
import sqlite3

import pytest

from scenario_apply.dataset.scan.fingerprint_cache import Cache


def test_the_database_is_closed_with_its_cache() -> None:
    """Python 3.13 warns of one that is not."""
    cache = Cache(None)
    database = cache._database
    del cache
    gc.collect()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        database.execute("SELECT 1")
