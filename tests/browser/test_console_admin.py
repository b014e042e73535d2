"""The admin's views of the console, and everybody's usage, in a real browser."""

import pytest
from playwright.sync_api import expect

from tests.support.browser import Visit, chromium
from tests.support.stack import ADMIN_KEY, chat

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def browser():
    with chromium() as found:
        yield found


def test_a_key_is_made_used_and_revoked(browser, stack):
    """Its secret is shown once and opens the API; once revoked, it opens nothing."""
    visit = Visit(browser, stack.api)
    visit.sign_in(ADMIN_KEY)
    page = visit.view("Keys")
    page.get_by_label("Tenant").select_option("default")
    page.get_by_label("Name").fill("made in the console")
    page.get_by_role("button", name="Make a key").click()
    secret = page.locator(".secret code").inner_text()
    key = {"Authorization": f"Bearer {secret}"}
    assert stack.get("/v1/models", headers=key).status_code == 200
    row = page.get_by_role("row").filter(has_text="made in the console")
    page.on("dialog", lambda dialog: dialog.accept())
    row.get_by_role("button", name="Revoke").click()
    expect(row).to_contain_text("revoked")
    assert stack.get("/v1/models", headers=key).status_code == 401
    page.reload()
    page.get_by_role("table", name="Keys").wait_for()
    assert secret not in page.content()
    # That the admin key was tried as a tenant's is all that failed.
    assert [error for error in visit.errors if "401" not in error] == []
    assert visit.foreign == []
    visit.close()


@pytest.mark.parametrize(("key", "by"), [("ak-demo123", "model"), (ADMIN_KEY, "tenant")], ids=["tenant", "admin"])
def test_usage_is_summed_up(browser, stack, key, by):
    """What a job has used stands in the table, by model for its tenant and by tenant for the admin."""
    assert stack.post(chat("usage")).status_code == 200
    visit = Visit(browser, stack.api)
    visit.sign_in(key)
    page = visit.view("Usage")
    table = page.get_by_role("table", name=f"Usage by {by}")
    expect(table).to_contain_text("openai/gpt-oss-20b" if by == "model" else "default")
    expect(page.locator(".chart canvas")).to_have_count(1)
    assert [error for error in visit.errors if "401" not in error] == []
    visit.close()
