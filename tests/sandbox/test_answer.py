"""What is answered: truncation, stop sequences, tools, schemas and counts."""

import pytest

from sandbox.answer import Finish, compose
from sandbox.behaviour import DEFAULT, parse
from sandbox.prompt import Prompt, Tool, ToolChoice, ToolMode, TranscriptBuilder

WEATHER = Tool("get_weather", {"properties": {"city": {"type": "string"}}, "required": ["city"]})
CLOCK = Tool("get_time", {"properties": {"zone": {"enum": ["UTC"]}}})


def prompt(text="hello", *, tool_result=None, images=0, **fields):
    said = TranscriptBuilder()
    said.user(text)
    for _ in range(images):
        said.image()
    if tool_result is not None:
        said.tool(tool_result)
    return Prompt(model="m", transcript=said.done(), **fields)


def answer(given, **behaviour):
    return compose("groq", given, parse(behaviour) if behaviour else DEFAULT)


def test_four_characters_are_a_token():
    """Counts follow the stated rule: characters by four, rounded up, and 85 for an image."""
    result = answer(prompt("x" * 9, images=1), text="y" * 10)
    assert (result.prompt_tokens, result.completion_tokens) == (3 + 85, 3)


def test_max_tokens_truncates():
    """The text ends with its last allowed token, and the finish says so."""
    result = answer(prompt(max_tokens=2))
    assert (result.text, result.finish, result.completion_tokens) == ("[sandbox", Finish.LENGTH, 2)


def test_max_tokens_that_suffice_change_nothing():
    """A text of exactly the allowed length has stopped by itself."""
    assert answer(prompt(max_tokens=2), text="12345678").finish is Finish.STOP


def test_reasoning_eats_from_max_tokens():
    """Reasoning tokens count as completion, before the text."""
    result = answer(prompt(max_tokens=10), reasoning_tokens=8)
    assert (result.text, result.reasoning_tokens, result.completion_tokens) == ("[sandbox", 8, 10)


def test_cached_tokens_are_part_of_the_prompt():
    """No more can be cached than was sent."""
    assert answer(prompt("x" * 40), cached_tokens=4).cached_tokens == 4
    assert answer(prompt("x" * 40), cached_tokens=400).cached_tokens == 10


@pytest.mark.parametrize("stops", [("You", "said"), ("said", "You")])
def test_earliest_stop_sequence_ends_the_text(stops):
    """The text ends before the stop sequence that comes first in it, whatever their order."""
    result = answer(prompt(stop=stops))
    assert (result.text, result.stopped_by) == ("[sandbox groq/m] ", "You")


def test_images_are_mentioned():
    """The answer says how many images it was shown."""
    assert answer(prompt(images=1)).text.endswith("hello (1 image)")
    assert answer(prompt(images=2)).text.endswith("hello (2 images)")


def test_tool_result_is_quoted():
    """After a tool's result the answer speaks of it."""
    given = prompt("use get_weather", tool_result="sunny", tools=(WEATHER,))
    assert answer(given).text == "[sandbox groq/m] The tool said: sunny"


def test_long_text_is_quoted_in_part():
    """An answer does not grow with the prompt without end."""
    assert len(answer(prompt("x" * 100_000)).text) < 2100


@pytest.mark.parametrize(
    ("choice", "text", "called"),
    [
        (ToolChoice(), "hello", []),
        (ToolChoice(), "use get_time", ["get_time"]),
        (ToolChoice(), "get_time and get_weather", ["get_weather", "get_time"]),
        (ToolChoice(parallel=False), "get_time and get_weather", ["get_weather"]),
        (ToolChoice(ToolMode.REQUIRED), "hello", ["get_weather"]),
        (ToolChoice(ToolMode.REQUIRED), "use get_time", ["get_time"]),
        (ToolChoice(ToolMode.REQUIRED, frozenset({"get_time"})), "use get_weather", ["get_time"]),
        (ToolChoice(ToolMode.NONE), "use get_time", []),
    ],
)
def test_tools_are_called_by_choice_and_by_name(choice, text, called):
    """Demanded tools are called; on auto those that the user names, several at once unless forbidden."""
    result = answer(prompt(text, tools=(WEATHER, CLOCK), tool_choice=choice))
    assert [call.name for call in result.tool_calls] == called
    assert result.finish is (Finish.TOOL_CALLS if called else Finish.STOP)
    assert bool(result.text) is not bool(called)


def test_arguments_follow_the_schema():
    """A call's arguments are an instance of its schema."""
    result = answer(prompt("get_weather get_time", tools=(WEATHER, CLOCK)))
    assert [call.arguments for call in result.tool_calls] == [{"city": "sample city"}, {"zone": "UTC"}]


def test_schema_is_answered_with_an_instance():
    """Structured output is the schema's instance as JSON."""
    schema = {"type": "object", "properties": {"n": {"type": "integer", "minimum": 4}}}
    assert answer(prompt(schema=schema)).text == '{"n": 4}'


def test_text_of_the_behaviour_wins():
    """A behaviour's text is said even where a tool was named."""
    assert answer(prompt("get_time", tools=(CLOCK,)), text="mine").text == "mine"


def test_reasoning_is_counted_and_eats_from_the_limit():
    """What the model thinks is counted as reasoning tokens, and cut where the limit ends it."""
    thought = answer(prompt(), reasoning="abcdefgh")
    assert (thought.reasoning, thought.reasoning_tokens) == ("abcdefgh", 2)
    cut = answer(prompt(max_tokens=1), reasoning="abcdefgh")
    assert (cut.reasoning, cut.text, cut.finish) == ("abcd", "", Finish.LENGTH)


def test_a_refusal_says_nothing_else():
    """Neither text nor a tool that was named."""
    refused = answer(prompt("get_time", tools=(CLOCK,)), refusal="no")
    assert (refused.refusal, refused.text, refused.tool_calls) == ("no", "", ())
