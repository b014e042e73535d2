"""Every provider's dialect beside golden files: what goes out on its wire, and what comes back in OpenAI's form."""

import json

import pytest

from tests.golden.cases import ALL, CASES, MODELS
from tests.golden.record import DATA, golden_file, record_of, settled
from tests.golden.shape import chunk_faults, completion_faults
from tests.golden.vendor_shape import request_faults
from tests.golden.wire import added_up, exchanges_of, golden_stack

pytestmark = pytest.mark.integration

GIVE_ONE_ANSWER = ("groq", "anthropic")


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    running = golden_stack(tmp_path_factory.mktemp("golden") / "config")
    yield running
    running.stop()


@pytest.fixture(scope="module", params=ALL, ids=lambda pair: f"{pair[0]}-{pair[1].name}")
def asked(request, stack):
    """A provider, a case of it, and what came of it."""
    provider, case = request.param
    return provider, case, exchanges_of(stack, provider, case)


def turns(exchanges):
    return [turn for way in exchanges.values() for turn in way]


def test_golden(asked):
    """Both wires carry what the golden file says, field by field."""
    provider, case, exchanges = asked
    assert record_of(exchanges) == json.loads(golden_file(provider, case).read_text())


def test_requests_are_the_vendors(asked):
    """What a vendor is asked has the fields its own client knows, and no others; one call answers one request."""
    provider, case, exchanges = asked
    for turn in turns(exchanges):
        refused = case.name == "choices_logprobs" and provider in GIVE_ONE_ANSWER
        assert len(turn.sent) == (0 if refused else 1)
        for call in turn.sent:
            assert request_faults(provider, call["body"]) == []


def test_answers_are_openais(asked):
    """Answers, chunks and errors are OpenAI's, with the extras that are documented and no others."""
    provider, _, exchanges = asked
    for turn in turns(exchanges):
        if turn.status != 200:
            assert turn.answer["error"].keys() == {"message", "type", "param", "code"}
        elif turn.answer is not None:
            assert completion_faults(turn.answer, provider) == []
        for chunk in turn.chunks:
            assert chunk_faults(chunk, provider) == []


def test_chunks_add_up(asked):
    """The chunks, added up by OpenAI's own client, are the answer in one piece."""
    _, case, exchanges = asked
    if case.stream_only or exchanges["whole"][0].status != 200:
        assert not any(turn.chunks for turn in exchanges.get("whole", []))
        return
    for whole, stream in zip(exchanges["whole"], exchanges["stream"], strict=True):
        assert essence(added_up(stream.chunks)) == essence(whole.answer)


def essence(answer):
    """What an answer in one piece and an added up one have in common, in the one's form."""
    told = settled({name: answer.get(name) for name in ("model", "choices", "usage", "system_fingerprint")}, {})
    for choice in told["choices"]:
        # Its choices have no other trace of a stream than numbers in lists, and what nobody told.
        message = choice["message"] = without_traces(choice["message"])
        choice["logprobs"] = without_traces(choice["logprobs"])
        for call in message.get("tool_calls", ()):
            # Arguments are the same JSON, perhaps with other blanks.
            call["function"]["arguments"] = json.loads(call["function"]["arguments"])
        thinking_in_place(message)
    return told


def without_traces(value):
    if isinstance(value, list):
        return [without_traces(item) for item in value]
    if not isinstance(value, dict):
        return value
    told = {name: without_traces(item) for name, item in value.items() if item is not None}
    return {name: item for name, item in told.items() if name != "index"}


def thinking_in_place(message):
    """Signed thinking is told in a stream before anybody knows whether a call follows: it stands on the message."""
    if "extra_content" in message and message.get("tool_calls"):
        message["tool_calls"][0]["extra_content"] = message.pop("extra_content")


def test_every_file_is_a_case():
    """There is no golden file that no test reads."""
    files = {str(file.relative_to(DATA)) for file in DATA.rglob("*.json")}
    assert files == {f"{provider}/{case.name}.json" for provider in MODELS for case in CASES}
