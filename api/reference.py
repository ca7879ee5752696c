"""`/docs`: the API's description as a plain page, made from its OpenAPI document."""

import json
from collections.abc import Iterator, Mapping, Sequence
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
        _path(f"{verb.upper()} {path}", operation, document["components"]["schemas"])
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


def _path(named_by: str, operation: Document, schemas: Document) -> str:
    asked = (
        *(
            (p["name"], p["in"], p.get("description", ""), _default(p))
            for p in _parameters(operation)
        ),
        *_body(operation, schemas),
    )
    rows = [tuple(markup.prose(text, "span") for text in row) for row in asked]
    named = markup.table(("parameter", "in", "what", "default"), rows) if rows else ""
    told = markup.prose(operation.get("description", ""))
    return f"{markup.element('h2', named_by)}{told}{named}"


def _parameters(operation: Document) -> Sequence[Document]:
    parameters: Sequence[Document] = operation.get("parameters", ())
    return parameters


def _body(operation: Document, schemas: Document) -> Iterator[tuple[str, str, str, str]]:
    """Give a line for each field of the request's body."""
    content = operation.get("requestBody", {}).get("content", {})
    schema: Document = content.get("application/json", {}).get("schema", {})
    named = schema.get("$ref", "").rpartition("/")[2]
    fields: Document = schemas.get(named, schema).get("properties", {})
    for name, field in fields.items():
        yield name, "body", field.get("description", ""), _default({"schema": field})


def _default(parameter: Document) -> str:
    default = parameter.get("schema", {}).get("default", "")
    return default if isinstance(default, str) else json.dumps(default)
