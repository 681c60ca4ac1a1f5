"""A page of HTML from a title and sections. It is one file, runs only its own script, and sends no request.

Whatever a template prints is escaped, and what cannot be seen is spelled out first, so that no text of a manifest, a
caption or the service changes anything but itself. A content security policy with the digests of the page's own style
and script holds when one of the two fails.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from scenario_apply.model.amounts import amount
from scenario_apply.review.html.album import UNKNOWN
from scenario_apply.review.screen import counted, duration, safe
from scenario_apply.review.values import value_text

if TYPE_CHECKING:
    import jinja2


class Section(NamedTuple):
    """A part of a page with a heading of its own.

    id: of its element, in letters, digits and hyphens. template: a file in templates/, which draws view; inside of it,
    headings start at <h3>. note: a few words beside the title in the list of contents, such as a number.
    """

    id: str
    title: str
    template: str
    view: object
    note: str = ""

    @property
    def is_drawn(self) -> bool:
        """Whether the view is markup already."""
        return hasattr(self.view, "__html__")


def page_text(
    title: str, sections: Sequence[Section], *, about: str = "", made: str = "", refresh_s: int | None = None
) -> str:
    """The whole page. about: what it is for, under the title. made: when and by what, at its end.

    refresh_s: the browser loads the file again after so many seconds; None for a page that does not change.
    """
    templates = _templates()
    style, script = (
        _own_file("page.css") + _own_file("charts.css") + _own_file("compare.css"),
        _own_file("page.js") + _own_file("compare.js") + (_own_file("live.js") if refresh_s is not None else ""),
    )
    return templates.get_template("page.html.jinja").render(
        title=title,
        about=about,
        made=made,
        sections=sections,
        refresh_s=refresh_s,
        style=style,
        script=script,
        policy=(
            f"default-src 'none'; img-src data:; style-src {_digest(style)}; script-src {_digest(script)}; "
            "base-uri 'none'; form-action 'none'"
        ),
    )


def rendered(section: Section) -> Section:
    """The same section as markup, for a page that is made again and again."""
    from markupsafe import Markup

    text = _templates().get_template(section.template).render(view=section.view)
    return section._replace(template="markup.html.jinja", view=Markup(text))  # noqa: S704  # of a template that escapes


def _digest(text: str) -> str:
    """As a content security policy names a style or script it allows."""
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def _shown(value: object) -> object:
    """What a template prints, before it is escaped. Text that is markup already was made by a template."""
    return safe(value) if isinstance(value, str) and not hasattr(value, "__html__") else value


@cache
def _templates() -> jinja2.Environment:
    import jinja2

    loader = jinja2.PackageLoader("scenario_apply.review.html", "templates")
    made = jinja2.Environment(
        loader=loader,
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"amount": amount, "counted": counted, "duration": duration, "value": value_text}
    made.globals |= {"unknown": UNKNOWN}
    return made


@cache
def _own_file(name: str) -> str:
    """A file of this package as markup: it goes into the page as it is."""
    from markupsafe import Markup

    templates = _templates()
    assert templates.loader is not None
    return Markup(templates.loader.get_source(templates, name)[0])  # noqa: S704  # a file of ours
