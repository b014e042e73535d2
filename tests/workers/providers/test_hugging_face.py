"""Claims about Hugging Face's accent."""

import json

import pytest

from routing.errors import NotExpressible, ProviderMisconfigured
from workers.providers.base import Account, Reply
from workers.providers.hugging_face import HuggingFaceProvider

HF = HuggingFaceProvider(
    Account(name="hugging-face", endpoint="https://router.huggingface.co/v1/chat/completions", api_key="hf_x")
)
HELLO = [{"role": "user", "content": "Hello!"}]


def test_call():
    """A model may name its partner; log probabilities and several answers pass, OpenAI's own hints do not."""
    asked = {"messages": HELLO, "n": 2, "logprobs": True, "prompt_cache_key": "k", "safety_identifier": "s"}
    call = HF.call("openai/gpt-oss-20b:groq", asked)
    assert call.url == "https://router.huggingface.co/v1/chat/completions"
    assert call.headers["authorization"] == "Bearer hf_x"
    assert json.loads(call.body) == {
        "model": "openai/gpt-oss-20b:groq",
        "messages": HELLO,
        "n": 2,
        "logprobs": True,
    }


def test_refused():
    """Sound is refused by name."""
    with pytest.raises(NotExpressible, match="'modalities'"):
        HF.call("m", {"messages": HELLO, "modalities": ["text", "audio"]})


def test_credits_used_up():
    """402, the month's credits are used up, is ours to mend."""
    body = {"error": "You have exceeded your monthly included credits for Inference Providers."}
    with pytest.raises(ProviderMisconfigured, match="monthly included credits"):
        HF.completion("m", Reply(402, {}, json.dumps(body).encode()))
