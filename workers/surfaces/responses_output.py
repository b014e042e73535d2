"""A chat answer as output items of OpenAI's Responses API: reasoning, a message, function calls, pictures. Pure.

Ids are made of the job's, so that a stream and the stored answer name the same items. Readers of an answer take what
a provider said as it comes: what has the wrong type counts as not said.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from workers.surfaces.base import Head

INCOMPLETE: Mapping[str, str] = {"length": "max_output_tokens", "content_filter": "content_filter"}


def output_of(choice: Mapping[str, Any], head: Head) -> list[dict[str, Any]]:
    """The items of a choice. The last one is incomplete where the answer was cut."""
    message = _mapping(choice.get("message"))
    items: list[dict[str, Any]] = []
    reasoning, details = text(message.get("reasoning_content")), objects(message.get("reasoning_details"))
    if reasoning or details:
        items.append(reasoning_item(item_id(head, "rs_"), reasoning, details))
    said = text_part(text(message.get("content")), logprobs_of(choice), annotations_of(message))
    refusal = text(message.get("refusal"))
    parts = [*([said] if said["text"] else ()), *([refusal_part(refusal)] if refusal else ())]
    pictures, calls = pictures_of(message), [call for call in objects(message.get("tool_calls")) if is_call(call)]
    if parts or not (items or pictures or calls):
        items.append(message_item(item_id(head, "msg_"), parts or [said], _mapping(message.get("extra_content"))))
    items += [picture_item(item_id(head, "ig_", place), picture) for place, picture in enumerate(pictures)]
    for place, call in enumerate(calls):
        function, extra = call["function"], _mapping(call.get("extra_content"))
        call_id = text(call.get("id")) or fallback_call_id(head, place)
        arguments = text(function.get("arguments")) or "{}"
        items.append(call_item(item_id(head, "fc_", place), call_id, function["name"], arguments, extra))
    if choice.get("finish_reason") in INCOMPLETE and items[-1]["type"] != "image_generation_call":
        items[-1]["status"] = "incomplete"
    return items


def item_id(head: Head, prefix: str, place: int = 0) -> str:
    """The id of the item of its kind at `place`."""
    return head.identifier(prefix) + (f"_{place}" if place else "")


def fallback_call_id(head: Head, place: int) -> str:
    """The id of a call whose provider gave none."""
    return item_id(head, "call_", place)


def reasoning_item(identifier: str, words: str, details: Sequence[Any] = ()) -> dict[str, Any]:
    """What a model thought. `details` are OpenRouter's, which wants them back."""
    summary = [{"type": "summary_text", "text": words}] if words else []
    item: dict[str, Any] = {"id": identifier, "type": "reasoning", "status": "completed", "summary": summary}
    if details:
        item["reasoning_details"] = list(details)
    return item


def message_item(
    identifier: str, parts: Sequence[Mapping[str, Any]], extra: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """What a model said. `extra` is what one vendor's dialect wants back with it."""
    item: dict[str, Any] = {"id": identifier, "type": "message", "status": "completed", "role": "assistant"}
    item["content"] = list(parts)
    if extra:
        item["extra_content"] = extra
    return item


def call_item(
    identifier: str, call_id: str, name: str, arguments: str, extra: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """A call of a function; `arguments` is JSON, as the model wrote it."""
    item: dict[str, Any] = {"id": identifier, "type": "function_call", "status": "completed", "call_id": call_id}
    item |= {"name": name, "arguments": arguments}
    if extra:
        item["extra_content"] = extra
    return item


def picture_item(identifier: str, url: str) -> dict[str, Any]:
    """A picture in an answer; one that is only linked has its address beside."""
    head, _, data = url.partition(",")
    item: dict[str, Any] = {"id": identifier, "type": "image_generation_call", "status": "completed"}
    if head.startswith("data:"):
        return {**item, "result": data}
    return {**item, "result": None, "url": url}


def text_part(words: str, logprobs: Sequence[Any] = (), annotations: Sequence[Any] = ()) -> dict[str, Any]:
    """Words of a message."""
    return {"type": "output_text", "text": words, "annotations": list(annotations), "logprobs": list(logprobs)}


def refusal_part(words: str) -> dict[str, Any]:
    """Words of a model that will not answer."""
    return {"type": "refusal", "refusal": words}


def logprobs_of(choice: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The log probabilities of a choice's text, or of a delta's."""
    return [
        {**_logprob(step), "top_logprobs": [_logprob(top) for top in objects(step.get("top_logprobs"))]}
        for step in objects(_mapping(choice.get("logprobs")).get("content"))
    ]


def annotations_of(message: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The sources a message, or a delta, names (OpenAI's and OpenRouter's `url_citation`)."""
    cited = [_mapping(each.get("url_citation")) for each in objects(message.get("annotations"))]
    return [
        {
            "type": "url_citation",
            "start_index": _whole(source.get("start_index")),
            "end_index": _whole(source.get("end_index")),
            "title": text(source.get("title")),
            "url": text(source.get("url")),
        }
        for source in cited
        if text(source.get("url"))
    ]


def pictures_of(message: Mapping[str, Any]) -> list[str]:
    """The addresses of a message's, or a delta's, pictures (OpenRouter's field)."""
    urls = [text(_mapping(picture.get("image_url")).get("url")) for picture in objects(message.get("images"))]
    return [url for url in urls if url]


def usage_of(usage: Any) -> dict[str, Any]:
    """A chat answer's usage in the API's words."""
    counts = _mapping(usage)
    read = _mapping(counts.get("prompt_tokens_details"))
    wrote = _mapping(counts.get("completion_tokens_details"))
    prompt, completion = _whole(counts.get("prompt_tokens")), _whole(counts.get("completion_tokens"))
    return {
        "input_tokens": prompt,
        "input_tokens_details": {
            "cached_tokens": _whole(read.get("cached_tokens")),
            "cache_write_tokens": _whole(read.get("cache_write_tokens")),
        },
        "output_tokens": completion,
        "output_tokens_details": {"reasoning_tokens": _whole(wrote.get("reasoning_tokens"))},
        "total_tokens": prompt + completion,
    }


def is_call(call: Mapping[str, Any]) -> bool:
    """Whether a tool call, or its delta, names a function."""
    return bool(text(_mapping(call.get("function")).get("name")))


def objects(value: Any) -> list[dict[str, Any]]:
    """The objects in a list; anything else in it is left out."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def text(value: Any) -> str:
    """`value` where it is a string, else an empty one."""
    return value if isinstance(value, str) else ""


def _logprob(step: Mapping[str, Any]) -> dict[str, Any]:
    value, encoded = step.get("logprob"), step.get("bytes")
    return {
        "token": text(step.get("token")),
        "logprob": float(value) if isinstance(value, int | float) and abs(value) < 1e300 else 0.0,
        "bytes": [_whole(byte) for byte in encoded] if isinstance(encoded, list) else [],
    }


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _whole(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
