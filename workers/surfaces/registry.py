"""Every surface by the name a job's record has for it."""

from collections.abc import Mapping

from workers.surfaces.base import Surface
from workers.surfaces.chat import Chat
from workers.surfaces.completions import Completions
from workers.surfaces.embeddings import Embeddings
from workers.surfaces.messages import Messages
from workers.surfaces.responses import Responses

CHAT = Chat()
COMPLETIONS = Completions()
MESSAGES = Messages()
RESPONSES = Responses()
EMBEDDINGS = Embeddings()
SURFACES: Mapping[str, Surface] = {
    surface.name: surface for surface in (CHAT, COMPLETIONS, MESSAGES, RESPONSES, EMBEDDINGS)
}


def surface_of(name: str) -> Surface:
    """The surface of a job; a job of a name this process does not know yet is answered as chat."""
    return SURFACES.get(name, CHAT)
