"""Embeddings: OpenAI's list of vectors, which providers' adapters give already."""

from typing import Any, ClassVar

from workers.surfaces.base import Endpoint, EventWriter, Head, Surface


class Embeddings(Surface):
    """`POST /v1/embeddings`."""

    name: ClassVar[str] = "embeddings"
    endpoint: ClassVar[Endpoint] = Endpoint.EMBEDDINGS

    def answer(self, body: dict[str, Any], head: Head) -> dict[str, Any]:  # noqa: ARG002
        """The provider's list itself."""
        return body

    def writer(self, head: Head) -> EventWriter:
        """None: the front end refuses streams of embeddings."""
        raise NotImplementedError("embeddings are not streamed")
