"""What holds the document against the answers finds a document that does not tell the truth."""

import asyncio

from api.document import Document
from tests.api.conftest import settings_of, token
from tests.support.api_server import served
from tests.support.document import troubles


def only(document: Document, path: str) -> Document:
    """The document of one path."""
    return {**document, "paths": {path: document["paths"][path]}}


async def test_an_answer_that_the_document_does_not_have_is_told(database_url: str) -> None:
    async with served(settings_of(database_url)) as api:
        application = api.server.application
        true = only(application.openapi(), "/me")
        application.openapi_schema = true
        assert await found(api.url) == []
        del true["paths"]["/me"]["get"]["responses"]["401"]
        assert "401" in "".join(await found(api.url))


async def found(url: str) -> list[str]:
    """What is told of an API, to which the token of nobody is shown."""
    return await asyncio.to_thread(lambda: list(troubles(url, token(), ["b1"])))
