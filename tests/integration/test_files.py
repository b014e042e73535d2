"""/v1/files on the running product: streamed in and out, its tenant's alone, and nothing left of what fails."""

import os
import socket
import threading
from pathlib import Path

import pytest
import requests

from tests.support.conformance import Conformance
from tests.support.process_node import wait_until
from tests.support.stack import KEY

pytestmark = pytest.mark.integration
RIVAL = {"Authorization": "Bearer ak-rival"}
LINE = b'{"custom_id": "a", "method": "POST", "url": "/v1/chat/completions", "body": {}}\n'
BLOCK = os.urandom(1024 * 1024)
NOT_THERE = "file-" + "0" * 32
FORM = {"Content-Type": "multipart/form-data; boundary=xx"}


def upload(stack, data=LINE, filename="lines.jsonl", purpose="batch", headers=None, **fields):
    """Upload a file as `requests` does it."""
    return stack.session.post(
        f"{stack.api.url}/v1/files",
        data={"purpose": purpose, **fields},
        files={"file": (filename, data)},
        headers=headers,
        timeout=60,
    )


def stored(stack):
    """Every file in the storage, and every record of one that is more than the memory that it is gone."""
    client = stack.redis.client
    records = [key for key in client.scan_iter("mr:file:*", count=1000) if client.hget(key, "state") != "gone"]
    return sorted(str(path) for path in Path(stack.files.name).rglob("*") if path.is_file()), sorted(records)


@pytest.fixture
def unchanged(stack):
    """Nothing may be left, neither bytes nor a record, nor anything that is due."""
    before = stored(stack), stack.redis.client.zcard("mr:file_expiry")
    yield stack
    wait_until(lambda: (stored(stack), stack.redis.client.zcard("mr:file_expiry")) == before, what="nothing left")


def refused(response, status, param=None):
    """OpenAI's error, which names the field."""
    assert response.status_code == status, response.text
    error = response.json()["error"]
    assert error.keys() == {"message", "type", "param", "code"}
    assert (error["type"], error["param"]) == ("invalid_request_error", param), error


def test_the_life_of_a_file(stack):
    """Uploaded, looked at, listed, downloaded and deleted; every answer is as the document says."""
    conformance = Conformance(stack.get("/openapi.json").json())
    made = upload(stack, filename="grüße.jsonl")
    file = made.json()
    assert file | {"id": "", "created_at": 0, "expires_at": 0} == {
        "id": "",
        "object": "file",
        "bytes": len(LINE),
        "created_at": 0,
        "expires_at": 0,
        "filename": "grüße.jsonl",
        "purpose": "batch",
        "status": "processed",
        "status_details": None,
    }
    assert file["expires_at"] == file["created_at"] + 30 * 86_400
    shown = stack.get(f"/v1/files/{file['id']}")
    content = stack.get(f"/v1/files/{file['id']}/content")
    listed = stack.get("/v1/files?limit=1")
    assert shown.json() == file
    assert content.content == LINE
    assert content.headers["Content-Length"] == str(len(LINE))
    assert "gr%C3%BC%C3%9Fe.jsonl" in content.headers["Content-Disposition"]
    assert (listed.json()["data"], listed.json()["first_id"]) == ([file], file["id"])
    deleted = stack.session.delete(f"{stack.api.url}/v1/files/{file['id']}")
    assert deleted.json() == {"id": file["id"], "object": "file", "deleted": True}
    again = stack.session.delete(f"{stack.api.url}/v1/files/{file['id']}")
    gone = stack.get(f"/v1/files/{file['id']}"), stack.get(f"/v1/files/{file['id']}/content"), again
    for response in gone:
        refused(response, 404, "id")
    for response in (made, shown, content, listed, deleted, *gone):
        conformance.check(response)
    assert not [path for path in stored(stack)[0] if file["id"] in path]


def test_a_tenants_files_are_its_own(stack):
    """Another tenant can neither see, read, list nor delete them."""
    file = upload(stack).json()
    where = f"{stack.api.url}/v1/files/{file['id']}"
    for response in (
        requests.get(where, headers=RIVAL, timeout=10),
        requests.get(f"{where}/content", headers=RIVAL, timeout=10),
        requests.delete(where, headers=RIVAL, timeout=10),
    ):
        refused(response, 404, "id")
    assert file["id"] not in requests.get(f"{stack.api.url}/v1/files", headers=RIVAL, timeout=10).text
    after = requests.get(f"{stack.api.url}/v1/files?after={file['id']}", headers=RIVAL, timeout=10)
    refused(after, 400, "after")
    assert stack.get(f"/v1/files/{file['id']}/content").content == LINE


def test_files_are_for_those_with_a_key(unchanged):
    """Without one, or with one nobody knows, nothing is read and nothing told."""
    for headers in ({"Authorization": ""}, {"Authorization": "Bearer unknown"}):
        assert upload(unchanged, headers=headers).status_code == 401
        for path in ("", f"/{NOT_THERE}", f"/{NOT_THERE}/content"):
            assert requests.get(f"{unchanged.api.url}/v1/files{path}", headers=headers, timeout=10).status_code == 401


def test_a_list_is_read_by_pages(stack):
    """`limit`, `after`, `order` and `purpose`, as OpenAI's."""
    ids = [upload(stack, filename=f"{number}.jsonl").json()["id"] for number in range(5)]
    newest = stack.get("/v1/files?limit=2").json()
    assert [file["id"] for file in newest["data"]] == ids[:2:-1]
    assert (newest["first_id"], newest["last_id"], newest["has_more"]) == (ids[4], ids[3], True)
    rest = stack.get(f"/v1/files?after={ids[3]}&purpose=batch&limit=2").json()
    assert [file["id"] for file in rest["data"]] == ids[2:0:-1]
    oldest = stack.get(f"/v1/files?order=asc&after={ids[2]}").json()
    assert [file["id"] for file in oldest["data"]] == ids[3:]
    assert oldest["has_more"] is False
    made = {"tenant_id": "without-files", "providers": {"enabled": ["groq"]}}
    assert stack.admin("POST", "/tenants", made).status_code == 200
    key = stack.admin("POST", "/keys", {"tenant_id": "without-files"}).json()["secret"]
    none = stack.get("/v1/files", headers={"Authorization": f"Bearer {key}"}).json()
    assert none == {"object": "list", "data": [], "first_id": None, "last_id": None, "has_more": False}


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("limit=0", "limit"),
        ("limit=10001", "limit"),
        ("limit=ten", "limit"),
        ("limit=-1", "limit"),
        ("limit=%D9%A1", "limit"),
        ("order=up", "order"),
        ("after=x", "after"),
        (f"after={NOT_THERE}", "after"),
    ],
)
def test_a_page_that_is_none_is_400(stack, query, param):
    """Each is told by its name."""
    refused(stack.get(f"/v1/files?{query}"), 400, param)


def test_expires_after(stack):
    """A file is kept as long as it says, within OpenAI's bounds."""
    kept = upload(stack, **{"expires_after[anchor]": "created_at", "expires_after[seconds]": "3600"}).json()
    assert kept["expires_at"] == kept["created_at"] + 3600


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"purpose": "fine-tune"}, "purpose"),
        ({"purpose": "user_data"}, "purpose"),
        ({"purpose": "batch_output"}, "purpose"),
        ({"purpose": ""}, "purpose"),
        ({"purpose": "b" * 5000}, "purpose"),
        ({"expires_after[anchor]": "created_at"}, "expires_after[seconds]"),
        ({"expires_after[seconds]": "3600"}, "expires_after[anchor]"),
        ({"expires_after[anchor]": "now", "expires_after[seconds]": "3600"}, "expires_after[anchor]"),
        ({"expires_after[anchor]": "created_at", "expires_after[seconds]": "3599"}, "expires_after[seconds]"),
        ({"expires_after[anchor]": "created_at", "expires_after[seconds]": "2592001"}, "expires_after[seconds]"),
        ({"expires_after[anchor]": "created_at", "expires_after[seconds]": "1e4"}, "expires_after[seconds]"),
        ({"filename": "a\x01b"}, "file"),
        ({"data": b""}, "file"),
    ],
)
def test_a_wrong_field_is_named(unchanged, fields, param):
    """400 with the field's name, and nothing is kept."""
    refused(upload(unchanged, **fields), 400, param)


@pytest.mark.parametrize(
    ("headers", "body", "status", "param"),
    [
        ({"Content-Type": "application/json"}, b"{}", 415, None),
        ({}, b"", 415, None),
        ({"Content-Type": "multipart/form-data"}, b"", 400, None),
        (FORM, b"", 400, None),
        (FORM, b"junk" * 1000, 400, None),
        (FORM, b"--xx--\r\n", 400, "file"),
        (FORM, b'--xx\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nx', 400, None),
        (FORM, b'--xx\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nx\r\n--xx--', 400, "purpose"),
        (FORM, b'--xx\r\nContent-Disposition: form-data; name="\xff"\r\n\r\nx\r\n--xx--', 400, None),
        (FORM, b'--xx\r\nContent-Disposition: form-data; name="' + b"n" * 100_000 + b'"\r\n\r\nx\r\n--xx--', 400, None),
    ],
)
def test_a_body_that_is_no_upload_is_refused(unchanged, headers, body, status, param):
    """Whatever is sent in a form's place."""
    response = unchanged.session.post(f"{unchanged.api.url}/v1/files", data=body, headers=headers, timeout=10)
    refused(response, status, param)


def test_two_files_are_refused(unchanged):
    """A request uploads one."""
    files = [("file", ("a", LINE)), ("file", ("b", LINE))]
    response = unchanged.session.post(f"{unchanged.api.url}/v1/files", data={"purpose": "batch"}, files=files)
    refused(response, 400, "file")


def test_an_upload_that_breaks_off_leaves_nothing(unchanged):
    """The caller sends half of what it said and closes: 400, and nothing is kept."""
    head = (
        f"POST /v1/files HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\nContent-Length: 9000000\r\n"
        "Content-Type: multipart/form-data; boundary=xx\r\n\r\n"
        '--xx\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
    )
    with socket.create_connection(("127.0.0.1", unchanged.api.port), timeout=20) as connection:
        connection.sendall(head.encode() + BLOCK * 3)
        connection.shutdown(socket.SHUT_WR)
        answer = connection.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 400"), answer[:200]
    assert b"breaks off" in answer


def test_a_chunk_that_is_none_leaves_nothing(unchanged):
    """Without a length, in chunks of which one is no chunk: 400, and nothing is kept."""
    head = (
        f"POST /v1/files HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\nTransfer-Encoding: chunked\r\n"
        "Content-Type: multipart/form-data; boundary=xx\r\n\r\n"
        '40\r\n--xx\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n'
    )
    with socket.create_connection(("127.0.0.1", unchanged.api.port), timeout=20) as connection:
        connection.sendall(head.encode() + b"ZZ\r\nwhat\r\n")
        connection.shutdown(socket.SHUT_WR)
        answer = connection.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 400"), answer[:200]


def body_of(blocks):
    """A form with a file of so many blocks of 1 MiB, made while it is sent; and how long it is."""
    head = (
        b'--xx\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n'
        b'--xx\r\nContent-Disposition: form-data; name="file"; filename="a.jsonl"\r\n\r\n'
    )
    tail = b"\r\n--xx--\r\n"

    def pieces():
        yield head
        for _ in range(blocks):
            yield BLOCK
        yield tail

    return pieces(), len(head) + blocks * len(BLOCK) + len(tail)


def peak_bytes(pids):
    """The most memory each process ever had, added up."""
    fields = [Path(f"/proc/{pid}/status").read_text().partition("VmHWM:")[2].split()[0] for pid in pids]
    return sum(map(int, fields)) * 1024


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux tells it")
def test_a_large_file_takes_little_memory(stack):
    """60 MB in and out: the API's memory grows by far less, and what comes back is what was sent."""
    pids = [int(pid) for pid in Path(f"/proc/{stack.api.pid}/task/{stack.api.pid}/children").read_text().split()]
    assert pids
    upload(stack)
    before = peak_bytes(pids)
    pieces, _ = body_of(60)
    made = stack.session.post(f"{stack.api.url}/v1/files", data=pieces, headers=FORM, timeout=100)
    assert made.status_code == 200, made.text
    assert made.json()["bytes"] == 60 * len(BLOCK)
    with stack.get(f"/v1/files/{made.json()['id']}/content", stream=True) as response:
        for _ in range(60):
            assert response.raw.read(len(BLOCK)) == BLOCK
        assert response.raw.read() == b""
    assert peak_bytes(pids) - before < 25 * 1024 * 1024
    stack.session.delete(f"{stack.api.url}/v1/files/{made.json()['id']}")


def test_others_are_served_during_an_upload(stack):
    """While a file comes slowly, and while one comes fast, the process answers others."""
    arrived, go_on = threading.Event(), threading.Event()
    head, length = body_of(0)
    first, last = list(head)

    def slowly():
        yield first
        yield BLOCK
        arrived.set()
        go_on.wait(20)
        yield last

    answers = []
    sending = threading.Thread(
        target=lambda: answers.append(
            requests.post(
                f"{stack.api.url}/v1/files",
                data=slowly(),
                headers={**FORM, "Authorization": f"Bearer {KEY}"},
                timeout=60,
            )
        )
    )
    sending.start()
    assert arrived.wait(20)
    assert stack.get("/livez").status_code == 200
    assert upload(stack).status_code == 200
    go_on.set()
    sending.join()
    assert answers[0].json()["bytes"] == len(BLOCK)
    assert length < 1000


def test_a_file_over_the_limit_is_413(calm_stack):
    """By its length or by what comes; another route's bodies stay small."""
    stack = calm_stack
    limit = 200 * 1024 * 1024
    with socket.create_connection(("127.0.0.1", stack.api.port), timeout=20) as connection:
        connection.sendall(
            f"POST /v1/files HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\nConnection: close\r\n"
            f"Content-Length: {limit + 100_000}\r\nContent-Type: multipart/form-data; boundary=xx\r\n\r\n".encode()
        )
        answer = connection.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 413"), answer[:200]
    assert b'"param": "file"' in answer
    pieces, length = body_of(21)
    other = stack.session.post(f"{stack.api.url}/v1/embeddings", data=pieces, headers=FORM, timeout=60)
    assert other.status_code in (413, 415)
    assert length > 20 * 1024 * 1024


@pytest.fixture
def no_storage(stack):
    """The folder of files is no folder."""
    folder = Path(stack.files.name)
    aside = folder.rename(f"{folder}-aside")
    folder.write_text("")
    yield
    folder.unlink()
    aside.rename(folder)


def test_a_storage_that_is_away_is_503(stack, request):
    """An upload is refused and leaves no record; a file cannot be read; what is deleted is gone, its bytes later."""
    kept, deleted = (upload(stack).json()["id"] for _ in range(2))
    client = stack.redis.client
    due = client.zcard("mr:file_expiry")
    request.getfixturevalue("no_storage")
    for response in (upload(stack), stack.get(f"/v1/files/{kept}/content")):
        assert response.status_code == 503, response.text
        assert response.json()["error"]["code"] == "storage_unavailable"
        assert int(response.headers["Retry-After"]) > 0
    assert stack.session.delete(f"{stack.api.url}/v1/files/{deleted}").json()["deleted"]
    assert stack.get(f"/v1/files/{deleted}").status_code == 404
    assert client.zscore("mr:file_expiry", deleted) < client.zscore("mr:file_expiry", kept)
    # Beside the two, the upload that was refused: its bytes may be there for all that is known.
    assert client.zcard("mr:file_expiry") <= due + 1
