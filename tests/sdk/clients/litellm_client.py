"""LiteLLM as a client. Only the base URL and the key are Model Router's; `openai/` is how LiteLLM names the dialect."""

import asyncio
import json
import os

import litellm
import openai
from steps import run

BASE_URL = os.environ.get("BASE_URL", "http://127.0.0.1:3000/v1")
API_KEY = os.environ.get("API_KEY", "ak-demo123")

ROUTER = {"model": "openai/gpt-3.5-turbo", "api_base": BASE_URL, "api_key": API_KEY}
HELLO = [{"role": "user", "content": "hello"}]
TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


def completion():
    answer = litellm.completion(**ROUTER, messages=HELLO)
    return {
        "text": answer.choices[0].message.content,
        "finish": answer.choices[0].finish_reason,
        "tokens": answer.usage.total_tokens,
    }


def acompletion():
    return asyncio.run(litellm.acompletion(**ROUTER, messages=HELLO)).choices[0].message.content


def tools():
    asked = [{"role": "user", "content": "use get_weather"}]
    message = litellm.completion(**ROUTER, messages=asked, tools=[TOOL]).choices[0].message
    results = [{"role": "tool", "tool_call_id": call.id, "content": "sunny"} for call in message.tool_calls]
    answer = litellm.completion(**ROUTER, messages=[*asked, message.model_dump(), *results], tools=[TOOL])
    return {
        "calls": [[call.function.name, json.loads(call.function.arguments)] for call in message.tool_calls],
        "text": answer.choices[0].message.content,
    }


def refused(**fields):
    """The class of LiteLLM's own that a refused request raises, and its status; all are OpenAI errors as well."""
    try:
        litellm.completion(**{**ROUTER, "messages": HELLO, **fields})
    except openai.APIStatusError as error:
        return {"class": type(error).__name__, "status": error.status_code}
    return None


def wrong_key():
    return refused(api_key="wrong")


def unknown_model():
    return refused(model="openai/no-such-model")


def bad_field():
    return refused(top_p=9)


def long_prompt():
    return refused(extra_body={"sandbox": {"context_length": 1}})


def stream():
    chunks = list(litellm.completion(**ROUTER, messages=HELLO, stream=True, stream_options={"include_usage": True}))
    whole = litellm.stream_chunk_builder(chunks, messages=HELLO)
    return {
        "chunks": len(chunks),
        "text": whole.choices[0].message.content,
        "finish": whole.choices[0].finish_reason,
        "tokens": whole.usage.total_tokens,
    }


def embedding():
    answer = litellm.embedding(**{**ROUTER, "model": "openai/gemini-embedding-001"}, input=["one", "two"])
    return [len(item["embedding"]) for item in answer.data]


if __name__ == "__main__":
    run(completion, acompletion, tools, wrong_key, unknown_model, bad_field, long_prompt, stream, embedding)
