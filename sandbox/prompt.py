"""What a request asks for, in no vendor's words: dialects build it, the answer is composed from it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sandbox import tokens


class ToolMode(StrEnum):
    """Whether a tool may, must or must not be called."""

    AUTO = "auto"
    NONE = "none"
    REQUIRED = "required"


@dataclass(frozen=True, slots=True)
class Tool:
    """A function that the caller offers; `parameters` is a JSON schema."""

    name: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ToolChoice:
    """How tools are to be used; `names` narrows the offer, empty leaves it whole."""

    mode: ToolMode = ToolMode.AUTO
    names: frozenset[str] = frozenset()
    parallel: bool = True


ANY_TOOL = ToolChoice()


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was said, as far as an answer depends on it."""

    last_user_text: str
    # Set where the last turn is a tool's result.
    tool_result: str | None
    # Whether the last turn is the user's own words.
    user_spoke_last: bool
    characters: int
    images: int

    @property
    def tokens(self) -> int:
        """Prompt tokens by the sandbox's rule."""
        return -(-self.characters // tokens.CHARACTERS) + self.images * tokens.IMAGE_TOKENS


@dataclass(frozen=True, slots=True)
class ResponseWish:
    """What only OpenAI's Responses API knows of a request."""

    # What the answer repeats.
    repeated: Mapping[str, Any] = field(default_factory=dict)
    # The vendor's own tools that are called, by their type, and the caller's tools that take free text, by their name.
    hosted: tuple[str, ...] = ()
    custom: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Prompt:
    """One completion request."""

    model: str
    transcript: Transcript
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice = ANY_TOOL
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    # The answer's text must be JSON that is an instance of this schema.
    schema: Mapping[str, Any] | None = None
    stream: bool = False
    include_usage: bool = False
    choices: int = 1
    # How many of the likeliest tokens are told at each place, with the log probabilities; None: none are.
    logprobs: int | None = None
    # None: a completion is asked for, and no response.
    response: ResponseWish | None = None


class TranscriptBuilder:
    """Collects a conversation turn by turn while a dialect reads it."""

    __slots__ = ("_characters", "_images", "_tool_result", "_user_spoke_last", "_user_text")

    def __init__(self) -> None:
        self._user_text = ""
        self._tool_result: str | None = None
        self._user_spoke_last = False
        self._characters = 0
        self._images = 0

    def user(self, text: str) -> None:
        """A user's turn."""
        self._user_text = text
        self._user_spoke_last = True
        self._tool_result = None
        self._characters += len(text)

    def other(self, text: str) -> None:
        """A turn of the system or of the assistant."""
        self._user_spoke_last = False
        self._tool_result = None
        self._characters += len(text)

    def tool(self, result: str) -> None:
        """A tool's result."""
        self._tool_result = result
        self._user_spoke_last = False
        self._characters += len(result)

    def image(self) -> None:
        """An image, in any turn."""
        self._images += 1

    def done(self) -> Transcript:
        """The conversation as read so far."""
        return Transcript(
            last_user_text=self._user_text,
            tool_result=self._tool_result,
            user_spoke_last=self._user_spoke_last,
            characters=self._characters,
            images=self._images,
        )
