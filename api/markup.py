"""HTML from strings, with every piece of text escaped."""

import re
from collections.abc import Iterable, Sequence
from html import escape
from typing import Final

_CODE: Final = re.compile(r"`([^`]+)`")

STYLE = """\
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem;
  color: #1c2024; background: #fff; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-bottom: .2rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .35rem .8rem .35rem 0; border-bottom: 1px solid #dfe3e6;
  vertical-align: top; }
th { font-weight: 600; color: #60666b; } a { color: #0b68cb; } code { background: #f1f3f5; }
.note { color: #60666b; } .bad { color: #b3261e; }
@media (prefers-color-scheme: dark) {
  body { color: #e6e9ec; background: #16191c; } th, td { border-color: #32373c; }
  th, .note { color: #9ba3aa; } a { color: #6cb1ff; } code { background: #23282d; }
  .bad { color: #ff8a80; }
}
"""


def page(title: str, body: Iterable[str], *, refresh_s: int | None = None) -> str:
    """Give a whole page; `body` is HTML already."""
    refresh = f'<meta http-equiv="refresh" content="{refresh_s}">' if refresh_s else ""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">{refresh}'
        f'<meta name="viewport" content="width=device-width"><title>{escape(title)}</title>'
        f'<link rel="stylesheet" href="/style.css"></head><body><h1>{escape(title)}</h1>'
        f"{''.join(body)}</body></html>"
    )


def element(tag: str, text: str, kind: str = "") -> str:
    """Give an element with text in it; `kind` is its class."""
    named = f' class="{escape(kind)}"' if kind else ""
    return f"<{tag}{named}>{escape(text)}</{tag}>"


def prose(text: str, tag: str = "p") -> str:
    """Give a paragraph, or another element of text; what stands between backticks is code."""
    shown = _CODE.sub(r"<code>\1</code>", escape(text))
    return f"<{tag}>{shown}</{tag}>"


def link(text: str, href: str) -> str:
    """Give a link; an address that is not of the web is shown, not linked."""
    if not href.startswith(("/", "http://", "https://")):
        return escape(text)
    return f'<a href="{escape(href)}">{escape(text)}</a>'


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Give a table; headings are text, cells are HTML already."""
    head = "".join(element("th", heading) for heading in headings)
    lines = ("".join(f"<td>{cell}</td>" for cell in row) for row in rows)
    return f"<table><tr>{head}</tr>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"
