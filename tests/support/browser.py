"""A real browser, the one that the machine has, and what a page did that it should not."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.support.client_environments import in_ci
from tests.support.stack import KEY, ApiNode

_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
_PATIENCE_MS = 15_000


@contextmanager
def chromium() -> Iterator[Browser]:
    """A Chromium that is on the PATH; skips where there is none, which CI must have."""
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        assert not in_ci(), "no Chromium is found, and in CI no browser is left out"
        pytest.skip("no Chromium is on the PATH")
    # Chromium refuses its own sandbox to root.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=arguments)
        yield browser
        browser.close()


class Visit:
    """One visitor's page of the console."""

    def __init__(self, browser: Browser, api: ApiNode, **context):
        self.home = api.url
        self._context = browser.new_context(viewport={"width": 1280, "height": 800}, **context)
        self.page: Page = self._context.new_page()
        self.page.set_default_timeout(_PATIENCE_MS)
        # Errors of scripts and refusals of the policy; requests that were made to anybody else.
        self.errors: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda said: self.errors.append(said.text) if said.type == "error" else None)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))

    @property
    def foreign(self) -> list[str]:
        """Addresses outside of the API's origin that were asked."""
        return [url for url in self.requests if urlsplit(url).scheme in ("http", "https") and not self.ours(url)]

    def ours(self, url: str) -> bool:
        return url.startswith(f"{self.home}/")

    def sign_in(self, key: str = KEY) -> Page:
        self.page.goto(f"{self.home}/console")
        self.page.get_by_label("Key").fill(key)
        self.page.get_by_role("button", name="Sign in").click()
        self.page.get_by_role("heading", name="Overview").wait_for()
        return self.page

    def view(self, name: str) -> Page:
        """Go where the link of the menu leads."""
        self.page.get_by_role("navigation").get_by_role("link", name=name, exact=True).click()
        self.page.get_by_role("heading", level=1).wait_for()
        return self.page

    def close(self) -> None:
        self._context.close()
