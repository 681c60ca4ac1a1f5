"""apply.git_lfs.lfs_programs: a configuration of a checkout that is not trusted is read within bounds."""

from __future__ import annotations

import os

import pytest

from scenario_apply.apply.git_lfs.lfs_programs import LfsFailed, LfsPrograms


def test_a_configuration_whose_listing_is_without_bounds_is_not_listed() -> None:
    """git repeats the name of a section before each of its keys: from 1 MB it would make gigabytes."""
    programs = LfsPrograms(git=("/nothing",), lfs=(), folder=os.curdir, environment={})
    with pytest.raises(LfsFailed, match="too long"):
        programs.configuration('[a "' + "x" * 20_000 + '"]\n' + "k\n" * 10_000)
