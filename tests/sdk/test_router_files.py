"""OpenAI's own client, unmodified: the whole life of files."""

import io

import openai
import pytest
from openai.types import FileDeleted, FileObject

from tests.support.stack import KEY

pytestmark = [pytest.mark.sdk, pytest.mark.integration]
LINES = b'{"custom_id": "a"}\n{"custom_id": "b"}\n'


@pytest.fixture
def client(stack):
    with openai.OpenAI(base_url=f"{stack.api.url}/v1", api_key=KEY, max_retries=0) as made:
        yield made


def test_the_life_of_a_file(client, tmp_path):
    """create, retrieve, list, content, wait_for_processing and delete."""
    path = tmp_path / "lines.jsonl"
    path.write_bytes(LINES)
    file = client.files.create(
        file=path, purpose="batch", expires_after={"anchor": "created_at", "seconds": 7200}, extra_body={"more": "x"}
    )
    assert isinstance(file, FileObject)
    assert (file.filename, file.bytes, file.purpose, file.object) == ("lines.jsonl", len(LINES), "batch", "file")
    assert file.expires_at == file.created_at + 7200
    assert client.files.retrieve(file.id) == file
    assert client.files.wait_for_processing(file.id) == file
    content = client.files.content(file.id)
    assert content.read() == LINES
    content.write_to_file(tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == LINES
    with client.files.with_streaming_response.content(file.id) as streamed:
        assert list(streamed.iter_lines()) == LINES.decode().splitlines()
    assert file in client.files.list(purpose="batch", limit=1).data
    assert client.files.delete(file.id) == FileDeleted(id=file.id, deleted=True, object="file")
    with pytest.raises(openai.NotFoundError):
        client.files.retrieve(file.id)
    with pytest.raises(openai.NotFoundError):
        client.files.content(file.id)
    with pytest.raises(openai.NotFoundError):
        client.files.delete(file.id)


@pytest.mark.parametrize(
    "file", [LINES, io.BytesIO(LINES), ("name.jsonl", LINES), ("name.jsonl", io.BytesIO(LINES), "application/jsonl")]
)
def test_whatever_the_client_takes_for_a_file(client, file):
    """Bytes, a stream, and both with a name and a type."""
    made = client.files.create(file=file, purpose="batch")
    assert client.files.content(made.id).read() == LINES


def test_pages_follow_by_themselves(client):
    """The client's own paging visits each file once, also when each is deleted on the way."""
    made = [client.files.create(file=LINES, purpose="batch").id for _ in range(5)]
    assert [file.id for file in client.files.list(limit=2, order="asc") if file.id in made] == made
    for file in client.files.list(limit=2):
        client.files.delete(file.id)
    assert client.files.list().data == []


@pytest.mark.parametrize(("purpose", "data"), [("fine-tune", LINES), ("batch", b"")])
def test_what_is_refused(client, purpose, data):
    """The client's own error, with the field's name."""
    with pytest.raises(openai.BadRequestError) as caught:
        client.files.create(file=data, purpose=purpose)
    assert caught.value.param == ("purpose" if data else "file")
