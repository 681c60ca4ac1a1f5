"""The documentation site: Sphinx with MyST and Furo. `make docs` builds it into build/docs; see docs/adr.

Nothing is loaded from other hosts: no fonts, scripts or badges. Warnings are errors, links to missing pages among them.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

project = "scenario-apply"
author = "the contributors of scenario-apply"
project_copyright = "the contributors of scenario-apply; Apache-2.0"
release = re.findall(r'(?m)^version = "(.+)"$', (Path(__file__).parent.parent / "pyproject.toml").read_text("utf-8"))[0]

extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
root_doc = "index"
exclude_patterns = ["container"]
nitpicky = True
suppress_warnings = ["misc.highlighting_failure"]  # of shortened JSON in examples; the tests check whole blocks

myst_heading_anchors = 4  # links to headings, as GitHub makes them
myst_links_external_new_tab = False

html_theme = "furo"
html_title = "scenario-apply"
html_show_sphinx = False
html_copy_source = False
html_show_sourcelink = False


def setup(app: Any) -> None:
    """Links that lead out of docs/ are paths here: the site does not hold the rest of the repository."""
    app.connect("source-read", _outside_as_paths)


def _outside_as_paths(app: Any, page: str, source: list[str]) -> None:
    folder = os.path.dirname(page)

    def shown(link: re.Match[str]) -> str:
        target = os.path.normpath(os.path.join("docs", folder, link[2].split("#")[0]))
        if target.startswith("docs" + os.sep):
            return link[0]
        if not os.path.exists(os.path.join(app.srcdir, os.pardir, target)):
            raise ValueError(f"docs/{page}.md links to {target}, which does not exist")
        return link[1] if link[1].strip("`") == target else f"{link[1]} (`{target}`)"

    source[0] = re.sub(r"\[([^\]\n]+)\]\((\.\./[^)\s]+)\)", shown, source[0])
