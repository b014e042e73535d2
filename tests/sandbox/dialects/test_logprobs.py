"""Log probabilities in the vendors' words: of the whole text, in one piece and in a stream, only where asked for."""

import pytest

from tests.sandbox.wire import GEMINI_STREAM, chat, chat_body, send

TEXT = "eight ch"
SAID = {"text": TEXT}


def gemini_fields(**config):
    return {"generationConfig": config, "sandbox": SAID}


@pytest.mark.parametrize("provider", ["openai", "hugging-face"])
@pytest.mark.parametrize("stream", [False, True])
def test_openais_form(sandbox, provider, stream):
    """Every token has its probability and bytes, and the likeliest in its place, itself the first of them."""
    answer = chat(sandbox.url, provider, logprobs=True, top_logprobs=2, stream=stream, sandbox=SAID)
    choices = [event["choices"][0] for event in answer.events() if event != "[DONE]"] if stream else [None]
    told = [choice["logprobs"] for choice in choices] if stream else [answer.json["choices"][0]["logprobs"]]
    steps = [step for logprobs in told if logprobs for step in logprobs["content"]]
    assert [step["token"] for step in steps] == ["eigh", "t ch"]
    assert steps[0]["bytes"] == list(b"eigh")
    assert [len(step["top_logprobs"]) for step in steps] == [2, 2]
    assert steps[0]["top_logprobs"][0]["token"] == "eigh"
    assert all(step["logprob"] < 0 for step in steps)


def test_a_refusal_has_its_own(sandbox):
    """The probabilities of a refusal's words stand beside those of the text."""
    answer = chat(sandbox.url, "openai", logprobs=True, sandbox={"refusal": "no"}).json["choices"][0]
    assert answer["logprobs"]["content"] is None
    assert [step["token"] for step in answer["logprobs"]["refusal"]] == ["no"]


def test_openai_wants_both_fields(sandbox):
    """`top_logprobs` alone is refused, and so are more than 20."""
    assert chat(sandbox.url, "openai", top_logprobs=2).status == 400
    assert chat(sandbox.url, "openai", logprobs=True, top_logprobs=21).status == 400
    assert chat(sandbox.url, "openai", top_logprobs=2, logprobs=False).json["error"]["param"] == "top_logprobs"


@pytest.mark.parametrize("stream", [False, True])
def test_geminis_form(sandbox, stream):
    """The chosen tokens in one list, those that might have stood there in another."""
    fields = gemini_fields(responseLogprobs=True, logprobs=3)
    if stream:
        events = send(sandbox.url, GEMINI_STREAM, chat_body("google-gemini", **fields)).events()
    else:
        events = [chat(sandbox.url, "google-gemini", **fields).json]
    results = [event["candidates"][0]["logprobsResult"] for event in events]
    assert [step["token"] for result in results for step in result["chosenCandidates"]] == ["eigh", "t ch"]
    assert [len(step["candidates"]) for result in results for step in result["topCandidates"]] == [3, 3]


def test_gemini_wants_both_fields(sandbox):
    """`logprobs` without `responseLogprobs` is refused; a wrong type, too."""
    assert chat(sandbox.url, "google-gemini", **gemini_fields(logprobs=3)).status == 400
    assert chat(sandbox.url, "google-gemini", **gemini_fields(responseLogprobs="yes")).status == 400
    assert chat(sandbox.url, "google-gemini", **gemini_fields(responseLogprobs=True, logprobs=21)).status == 400


@pytest.mark.parametrize("provider", ["openai", "hugging-face", "groq"])
def test_none_unasked(sandbox, provider):
    """Without the field `logprobs` is null."""
    assert chat(sandbox.url, provider).json["choices"][0]["logprobs"] is None
