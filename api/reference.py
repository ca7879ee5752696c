"""`/docs`: the API's description as a plain page, made from its OpenAPI document."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from api import markup

router = APIRouter(include_in_schema=False)

Document = Mapping[str, Any]  # Any: OpenAPI is nested JSON


@router.get("/docs")
async def docs(request: Request) -> HTMLResponse:
    """Describe each path."""
    document: Document = request.app.openapi()
    about = document["info"]
    paths = [
        _path(f"{verb.upper()} {path}", operation)
        for path, item in document["paths"].items()
        for verb, operation in item.items()
    ]
    links = [markup.link("as OpenAPI", "/openapi.json"), markup.link("the bots", "/")]
    body = [
        markup.prose(about["description"]),
        *paths,
        f'<p class="note">{" · ".join(links)}</p>',
    ]
    return HTMLResponse(markup.page(f"{about['title']} {about['version']}", body))


def _path(named_by: str, operation: Document) -> str:
    parameters = operation.get("parameters", ())
    rows = [
        tuple(
            markup.element("span", text)
            for text in (p["name"], p["in"], p.get("description", ""), _default(p))
        )
        for p in parameters
    ]
    named = markup.table(("parameter", "in", "what", "default"), rows) if rows else ""
    told = markup.prose(operation.get("description", ""))
    return f"{markup.element('h2', named_by)}{told}{named}"


def _default(parameter: Document) -> str:
    return str(parameter.get("schema", {}).get("default", ""))
