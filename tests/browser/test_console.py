"""The console in a real browser, on the whole product."""

import re

import pytest
from playwright.sync_api import expect

from tests.support.batch import create, ended, entry
from tests.support.browser import Visit, chromium
from tests.support.process_node import free_port, wait_until
from tests.support.stack import KEY, ApiNode, chat, ended_object
from tests.support.webhook_receiver import WebhookReceiver

pytestmark = pytest.mark.integration
GROQ, OTHER = "groq/openai/gpt-oss-20b", "hugging-face/openai/gpt-oss-20b"
VIEWS = ("Overview", "Jobs", "Failed", "Batches", "Webhooks", "Playground")
MARKUP = "<img src=x onerror=\"document.title='taken'\">"


@pytest.fixture(scope="module")
def browser():
    with chromium() as found:
        yield found


@pytest.fixture
def visit(browser, stack):
    """A visitor; whatever is done, no script fails and nobody but the API is asked."""
    made = Visit(browser, stack.api)
    yield made
    errors, foreign = made.errors, made.foreign
    made.close()
    assert errors == []
    assert foreign == []


def failed_over(stack):
    """The id of a job that groq failed and another answered."""
    stack.sandbox.behave("groq", fault="status", status=503)
    answer = stack.post(chat("Who answers?", model=GROQ, models=[OTHER]))
    stack.sandbox.reset()
    assert answer.status_code == 200
    return answer.headers["X-Job-Id"]


def failed(stack):
    stack.sandbox.behave("*", fault="status", status=400)
    answer = stack.post(chat("nobody answers"))
    stack.sandbox.reset()
    assert answer.status_code == 400
    return answer.headers["X-Job-Id"]


def test_a_key_opens_it_and_stays_in_the_tab(browser, stack):
    """A wrong key is told so; a right one is kept in sessionStorage and nowhere else, and signing out forgets it."""
    visit = Visit(browser, stack.api)
    page = visit.page
    page.goto(f"{visit.home}/console")
    page.get_by_label("Key").fill("ak-nobody")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Incorrect API key")
    page.get_by_label("Key").fill(KEY)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    providers = page.get_by_role("table", name="Providers in use")
    expect(providers.get_by_role("row", name=re.compile("^groq"))).to_contain_text("closed")
    stored = (
        "[JSON.stringify({...localStorage}), document.cookie, location.href, document.documentElement.outerHTML].join()"
    )
    assert KEY not in page.evaluate(stored)
    assert KEY in page.evaluate("Object.values({...sessionStorage})")
    page.reload()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert page.evaluate("sessionStorage.length") == 0
    visit.close()


def test_the_first_view_takes_one_request(visit):
    """Signing in and the overview are one question to the API."""
    visit.sign_in()
    expect(visit.page.locator(".chart canvas")).to_have_count(3)
    asked = [
        url for url in visit.requests if visit.ours(url) and "/console/" not in url.replace("/v1/console/", "/v1/")
    ]
    assert asked[0] == f"{visit.home}/console"
    assert set(asked[1:2]) == {f"{visit.home}/v1/console/overview"}


def test_a_failed_over_job_is_followed_to_its_timeline(visit, stack):
    """From the list to every attempt with its error, the answer, and the plan with who was left out."""
    job = failed_over(stack)
    visit.sign_in()
    page = visit.view("Jobs")
    row = page.get_by_role("row").filter(has=page.locator(f'a[href="#/jobs/{job}"]'))
    expect(row).to_contain_text("groq")
    expect(row).to_contain_text("hugging-face")
    row.get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(job)
    steps = page.locator(".timeline li")
    expect(steps.first).to_contain_text("Submitted")
    expect(steps.filter(has_text="Attempt 1: groq")).to_contain_text("provider_failed: groq answered 503")
    expect(steps.filter(has_text="hugging-face").last).to_contain_text("completed")
    expect(steps.last).to_contain_text("Ended")
    plan = page.get_by_role("table", name="Candidates")
    expect(plan.get_by_role("row", name=re.compile("^groq.openai"))).to_contain_text("failed")
    expect(plan.get_by_role("row", name=re.compile("^hugging-face.openai"))).to_contain_text("completed")
    expect(page.locator(".words")).to_contain_text("You said: Who answers?")


def test_filters_stand_in_the_address(visit, stack):
    """A list is narrowed down, and its address shows the same to whoever is sent it."""
    job = failed(stack)
    visit.sign_in()
    page = visit.view("Jobs")
    page.get_by_label("Status").select_option("failed")
    expect(page).to_have_url(re.compile(r"#/jobs\?status=failed"))
    expect(page.locator(f'a[href="#/jobs/{job}"]')).to_be_visible()
    expect(page.locator("tbody .badge").filter(has_not_text="failed")).to_have_count(0)


def test_a_dead_letter_is_replayed(visit, stack):
    """The button makes a new job of the same request, which is answered, and the old one says so."""
    job = failed(stack)
    visit.sign_in()
    page = visit.view("Failed")
    row = page.get_by_role("row").filter(has=page.locator(f'a[href="#/jobs/{job}"]'))
    expect(row).to_contain_text("provider")
    row.get_by_role("button", name="Replay").click()
    row.get_by_role("link", name="replayed").click()
    expect(page.locator(".headline")).to_contain_text("completed")
    expect(page.locator(".facts")).to_contain_text("Replay of")
    assert stack.get(f"/v1/jobs/{job}").json()["replayed_as"] in page.url


def test_the_playground_streams(visit, stack):
    """Words are there before the last one is, and in the end the route and the cost; the plan costs nothing."""
    stack.sandbox.behave("groq", tokens_per_s=15)
    visit.sign_in()
    page = visit.view("Playground")
    page.get_by_label("Model", exact=True).select_option(GROQ)
    page.get_by_label("Question").fill("Count with me, one word after the other, until I say that it is enough.")
    jobs = stack.job_count()
    page.get_by_role("button", name="Show the plan").click()
    expect(page.get_by_role("table", name="Candidates")).to_contain_text(GROQ)
    assert stack.job_count() == jobs
    page.get_by_label("Question").press("Control+Enter")
    expect(page.locator(".words")).to_contain_text("[sandbox")
    assert "enough" not in page.locator(".words").inner_text()
    expect(page.locator(".words")).to_contain_text("that it is enough.")
    told = page.locator(".two .facts")
    expect(told).to_contain_text("Cost$0.0")
    expect(told.locator(".route")).to_have_text("groq")
    expect(told.get_by_role("link", name=re.compile("job_"))).to_be_visible()


def test_the_playground_stops(visit, stack):
    """Stopping closes the connection, and the job is cancelled."""
    stack.sandbox.behave("groq", tokens_per_s=2)
    visit.sign_in()
    page = visit.view("Playground")
    page.get_by_label("Model", exact=True).select_option(GROQ)
    page.get_by_label("Question").fill("A long answer, please. " * 20)
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".words")).not_to_be_empty()
    page.get_by_role("button", name="Stop").click()
    job = page.get_by_role("link", name="Its job").get_attribute("href").rpartition("/")[2]
    assert ended_object(stack, job)["status"] == "cancelled"


def test_batches_show_their_progress_and_webhooks_go_again(visit, stack):
    """A batch with its counts; a delivery that is sent again reaches its receiver."""
    with WebhookReceiver() as receiver:
        batch = create(stack, requests=[{"custom_id": "a", "body": entry(1)["body"]}])
        job = stack.post(chat("hook", background=True, webhook_url=receiver.url)).json()["id"]
        ended(stack, batch["id"])
        wait_until(lambda: receiver.received, what="the webhook")
        visit.sign_in()
        page = visit.view("Batches")
        row = page.get_by_role("row").filter(has=page.locator(f'code[title="{batch["id"]}"]'))
        expect(row).to_contain_text("1 of 1")
        with page.expect_download() as download:
            row.get_by_role("button", name="Answers").click()
        assert download.value.suggested_filename == f"{batch['id']}-answers.jsonl"
        page = visit.view("Webhooks")
        row = page.get_by_role("row").filter(has=page.locator(f'a[href="#/jobs/{job}"]'))
        expect(row).to_contain_text("delivered")
        row.get_by_role("button", name="Redeliver").click()
        wait_until(lambda: len(receiver.received) == 2, what="the webhook again")
        row.get_by_role("link").first.click()
        expect(page.get_by_role("table", name="Attempts")).to_contain_text("HTTP 200")


def test_what_the_api_says_is_text(visit, stack):
    """Markup in a model's name and in an answer is shown as it is written, in every view that has it."""
    job = stack.post(chat(MARKUP)).headers["X-Job-Id"]
    # No model may be called so: it is what a record says that is shown.
    stack.redis.client.hset(f"mr:job:{job}", "model", MARKUP)
    visit.sign_in()
    page = visit.view("Jobs")
    expect(page.get_by_role("row").filter(has=page.locator(f'a[href="#/jobs/{job}"]'))).to_contain_text(MARKUP)
    page.goto(f"{visit.home}/console#/jobs/{job}")
    expect(page.locator(".words")).to_contain_text(MARKUP)
    expect(page.locator(".facts").first).to_contain_text(MARKUP)
    page.goto(f"{visit.home}/console#/jobs/{MARKUP}")
    expect(page.locator("main")).to_contain_text("no job")
    assert page.locator("img").count() == 0
    assert page.title() != "taken"
    visit.errors[:] = [error for error in visit.errors if "404" not in error]


def test_dark_and_light(browser, stack):
    """The system's wish counts until the switch is used, and that is remembered."""
    visit = Visit(browser, stack.api, color_scheme="dark")
    page = visit.sign_in()
    shade = "parseInt(getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0])"
    assert page.evaluate(shade) < 64
    page.get_by_role("button", name="Switch to light").click()
    assert page.evaluate(shade) > 192
    page.reload()
    expect(page.get_by_role("button", name="Switch to dark")).to_be_visible()
    assert page.evaluate(shade) > 192
    expect(page.locator(".chart canvas")).to_have_count(3)
    assert visit.errors == []
    visit.close()


def test_the_keyboard_is_enough(visit, stack):
    """Sign in, open the list, open a job: with Tab and Enter alone, and what has the focus can be seen."""
    job = failed_over(stack)
    page = visit.page
    page.goto(f"{visit.home}/console")
    expect(page.get_by_label("Key")).to_be_focused()
    page.keyboard.type(KEY)
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Overview").wait_for()
    reach(page, "To the content", from_top=True)
    reach(page, "Jobs")
    page.keyboard.press("Enter")
    link = page.locator(f'a[href="#/jobs/{job}"]')
    link.wait_for()
    # The view has the focus, so that what comes next is its first control.
    expect(page.locator("main")).to_be_focused()
    reach(page, link.inner_text())
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text(job)


def reach(page, name, *, from_top=False):
    """Press Tab until what has the focus is called so."""
    if from_top:
        page.evaluate("document.activeElement.blur(), getSelection().removeAllRanges()")
        page.locator("body").press("Home")
    focused = "[document.activeElement.innerText, getComputedStyle(document.activeElement).outlineStyle]"
    for _ in range(40):
        page.keyboard.press("Tab")
        text, outline = page.evaluate(focused)
        if text == name:
            assert outline != "none"
            return
    raise AssertionError(f"{name} is not reached with Tab")


def test_nobody_is_asked_while_nobody_looks(visit):
    """A hidden page asks nothing; when it is seen again it asks at once."""
    page = visit.page
    page.clock.install()
    visit.sign_in()
    page.clock.fast_forward(30_000)
    asked = "/v1/console/overview"
    wait_until(lambda: page.evaluate("1") and visit.requests[-1].endswith(asked), what="a poll")
    page.evaluate("Object.defineProperty(document, 'hidden', {value: true, configurable: true})")
    page.clock.fast_forward(60_000)
    before = len(visit.requests)
    page.clock.fast_forward(600_000)
    assert len(visit.requests) == before
    with page.expect_request(re.compile(asked)):
        page.evaluate(
            "Object.defineProperty(document, 'hidden', {value: false, configurable: true});"
            "document.dispatchEvent(new Event('visibilitychange'))"
        )


def test_it_fits_on_a_phone(browser, stack):
    """No view is wider than a small screen."""
    failed_over(stack)
    visit = Visit(browser, stack.api)
    visit.page.set_viewport_size({"width": 375, "height": 700})
    page = visit.sign_in()
    for name in VIEWS:
        visit.view(name)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
    assert visit.errors == []
    visit.close()


def test_the_admin_sees_the_whole(browser, stack):
    """The admin key opens everybody's overview, and no view of a tenant's own things."""
    environment = {"PORT": str(free_port()), "MODEL_ROUTER_ADMIN_KEY": "the-admin-key-of-the-tests"}
    api = ApiNode({**stack.environment, **environment}, "admin-api")
    try:
        api.ready()
        visit = Visit(browser, api)
        page = visit.sign_in("the-admin-key-of-the-tests")
        expect(page.locator(".tiles")).to_contain_text("Redis")
        expect(page.locator(".tiles")).to_contain_text("of all tenants")
        menu = page.get_by_role("navigation", name="Views")
        expect(menu.get_by_role("link", name="Jobs")).to_have_count(0)
        page.reload()
        expect(page.locator(".tiles")).to_contain_text("of all tenants")
        # The key was tried as a tenant's first, once.
        assert [error for error in visit.errors if "401" not in error] == []
        assert len(visit.errors) == 1
        visit.close()
    finally:
        api.kill()
        api.teardown()
