"""Paths that lead elsewhere for another reader: none leads past a route's own checks."""

import pytest

from tests.support.raw_http import exchange, head

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("unharmed")]
JOB = "job_" + "0" * 32
FILE = "file-" + "0" * 32

PATHS = [
    "/v1/../v1/models",
    "/v1/./models",
    "/v1/%2e%2e/v1/models",
    "/v1/%2e/models",
    "//v1/models",
    "/v1//models",
    "/\\v1\\models",
    "//evil.example/v1/models",
    "/v1/models;x=1/../jobs",
    "/v1/jobs;jsessionid=1",
    "/v1/jobs%00",
    "/v1/jobs%0a",
    "/v1/jobs%20",
    "/V1/JOBS",
    "/v1/jobs.json",
    "/v1/jobs%2f" + JOB,
    "/v1/jobs/..%2f..%2fadmin",
    "/v1/jobs/../../admin/v1/tenants",
    f"/v1/jobs/{JOB}%00",
    f"/v1/jobs/{JOB}%0a",
    f"/v1/jobs/{JOB}/..",
    f"/v1/jobs/{JOB}/../../files",
    f"/v1/jobs/{JOB.upper()}",
    "/v1/jobs/*",
    "/v1/jobs/mr:job:1",
    "/v1/files/..%2f..%2f..%2fetc%2fpasswd",
    "/v1/files/..%2f..%2f..%2fetc%2fpasswd/content",
    "/v1/files/%2e%2e%2f%2e%2e%2fetc%2fpasswd/content",
    "/v1/files/%252e%252e%252fetc%252fpasswd/content",
    "/v1/files/..%5c..%5cetc%5cpasswd/content",
    "/v1/files/%c0%ae%c0%ae%2fetc%2fpasswd/content",
    "/v1/files/%2fetc%2fpasswd/content",
    "/v1/files/file:%2f%2f%2fetc%2fpasswd/content",
    f"/v1/files/{FILE}%00.jsonl/content",
    f"/v1/files/{FILE}/content/../../../etc/passwd",
    "/v1/models/../jobs",
    "/v1/models/%2e%2e%2f%2e%2e%2fconfig%2fproviders.json",
    "/static/../config/providers.json",
    "/.env",
    "/.git/config",
    "/config/providers.json",
    "/docs/../config/providers.json",
    "/docs/%2e%2e/config/providers.json",
    "/admin%2fv1%2ftenants",
    "/%61dmin/v1/nothing",
    "/v1/jobs/%ff%fe",
    "/v1/jobs/%",
    "/v1/jobs/%zz",
    "*",
    "v1/models",
]


@pytest.mark.parametrize("path", PATHS)
def test_a_trick_in_the_path_leads_nowhere(port, path):
    """With a good key, and without one: a 4xx in our form, no redirect, nothing of a file or of a list."""
    for key in ("ak-demo123", "ak-nobody"):
        answer = exchange(port, head(path, "GET", key=key))
        assert 400 <= answer.status < 500
        assert "location" not in answer.headers
        assert answer.json()["error"]["message"]
        assert b"root:" not in answer.body
        assert b"GROQ_API_KEY" not in answer.body


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PUT", "PROPFIND", "TRACK", "DEBUG", "get"])
def test_other_methods_do_nothing(port, method):
    """What no route takes is refused; nothing of the request is sent back as TRACE would."""
    answer = exchange(port, head("/v1/models", method, X_Own="of-the-caller"))
    assert 400 <= answer.status < 500
    assert b"of-the-caller" not in answer.body


def test_a_method_in_a_header_is_none(port):
    """Proxies' and frameworks' ways to say another method are not read."""
    for name in ("X_HTTP_Method_Override", "X_HTTP_Method", "X_Method_Override"):
        assert exchange(port, head(f"/v1/files/{FILE}/content", "GET", **{name: "DELETE"})).status == 404


def test_a_host_of_the_callers_is_not_repeated(port):
    """No answer has a link made of the Host or of a proxy's headers."""
    for name in ("Host", "X_Forwarded_Host", "X_Original_URL", "X_Rewrite_URL"):
        answer = exchange(port, head("/v1/models", "GET", **{name: "evil.example"}))
        assert answer.status in (200, 400)
        assert b"evil.example" not in answer.body
        assert "evil.example" not in str(dict(answer.headers))
