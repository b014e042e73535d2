"""Instructor: answers as instances of one's own class. Only the base URL and the key are Model Router's."""

import os

import instructor
from openai import OpenAI
from pydantic import BaseModel, Field
from steps import run

BASE_URL = os.environ.get("BASE_URL", "http://127.0.0.1:3000/v1")
API_KEY = os.environ.get("API_KEY", "ak-demo123")

openai = OpenAI(base_url=BASE_URL, api_key=API_KEY)
ASKED = {
    "model": "gpt-3.5-turbo",
    "messages": [{"role": "user", "content": "Extract: Ada, 36, wrote in London and Turin."}],
}


class Place(BaseModel):
    city: str


class Person(BaseModel):
    name: str
    age: int = Field(ge=0, le=150)
    places: list[Place]


def extract():
    person, completion = instructor.from_openai(openai).create_with_completion(response_model=Person, **ASKED)
    return {"person": person.model_dump(), "tokens": completion.usage.total_tokens}


def extract_by_json_schema():
    client = instructor.from_openai(openai, mode=instructor.Mode.JSON_SCHEMA)
    return client.create(response_model=Person, **ASKED).model_dump()


def extract_in_part():
    """The person as it grows while the answer streams in (Groq sends a call's arguments whole, so not there)."""
    asked = {**ASKED, "model": "hugging-face/openai/gpt-oss-20b"}
    seen = list(instructor.from_openai(openai).create_partial(response_model=Person, **asked))
    return {"states": len(seen), "last": seen[-1].model_dump()}


if __name__ == "__main__":
    run(extract, extract_by_json_schema, extract_in_part)
