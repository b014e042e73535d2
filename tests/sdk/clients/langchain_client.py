"""LangChain's OpenAI classes. Only the base URL and the key are Model Router's."""

import os

from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from pydantic import BaseModel
from steps import run

BASE_URL = os.environ.get("BASE_URL", "http://127.0.0.1:3000/v1")
API_KEY = os.environ.get("API_KEY", "ak-demo123")

chat = ChatOpenAI(model="gpt-4o-mini", base_url=BASE_URL, api_key=API_KEY)


class Weather(BaseModel):
    """How the weather is."""

    city: str
    degrees: int


@tool
def get_weather(city: str) -> str:
    """Tell the weather of a city."""
    return f"sunny in {city}"


def invoke():
    answer = chat.invoke([("system", "Be brief."), ("human", "hello")])
    return {"text": answer.text, "usage": answer.usage_metadata, "finish": answer.response_metadata["finish_reason"]}


def batch():
    return [answer.text for answer in chat.batch(["one", "two", "three"])]


def bind_tools():
    able = chat.bind_tools([get_weather])
    turns = [HumanMessage("use get_weather")]
    turns.append(able.invoke(turns))
    turns += [ToolMessage(get_weather.invoke(call["args"]), tool_call_id=call["id"]) for call in turns[-1].tool_calls]
    return {"calls": [call["name"] for call in turns[1].tool_calls], "text": able.invoke(turns).text}


def structured_output():
    return chat.with_structured_output(Weather).invoke("hello").model_dump()


def structured_output_by_tool():
    return chat.with_structured_output(Weather, method="function_calling").invoke("hello").model_dump()


def stream():
    pieces = list(chat.stream("hello", stream_usage=True))
    whole = pieces[0]
    for piece in pieces[1:]:
        whole += piece
    return {"pieces": len(pieces), "text": whole.text, "usage": whole.usage_metadata}


def stream_tools():
    pieces = list(chat.bind_tools([get_weather]).stream("use get_weather"))
    whole = pieces[0]
    for piece in pieces[1:]:
        whole += piece
    return [{"name": call["name"], "args": call["args"]} for call in whole.tool_calls]


def embeddings():
    # Texts go as texts: the token lists that this class makes for OpenAI need OpenAI's tokenizer files.
    embedder = OpenAIEmbeddings(
        model="gemini-embedding-001", base_url=BASE_URL, api_key=API_KEY, check_embedding_ctx_length=False
    )
    return [len(vector) for vector in (*embedder.embed_documents(["one", "two"]), embedder.embed_query("three"))]


if __name__ == "__main__":
    run(invoke, batch, bind_tools, structured_output, structured_output_by_tool, stream, stream_tools, embeddings)
