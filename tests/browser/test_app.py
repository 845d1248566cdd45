"""The app as a whole: it starts, every page opens, and nothing goes to another host."""

from __future__ import annotations

from typing import Any

import pytest
from conftest import App

from formcheck.ui.app import PAGES

ELSEWHERE = "elsewhere.test"  # a name of this machine that the app does not answer to


class ElsewhereApp(App):
    """The app under that name."""

    @property
    def url(self) -> str:
        return f"http://{ELSEWHERE}:{self.port}"


@pytest.mark.parametrize("entry", PAGES, ids=lambda entry: entry.module)
def test_page_opens(page: Any, entry: Any) -> None:
    page.goto(f"/{entry.module}")
    page.get_by_role("heading", level=1).first.wait_for()
    assert page.get_by_test_id("stException").count() == 0
    assert "formcheck" in page.title()


def test_by_another_name_it_says_where_it_is(new_page: Any, app: App, launch: Any) -> None:
    browser = launch(f"--host-resolver-rules=MAP {ELSEWHERE} 127.0.0.1")
    page = new_page(ElsewhereApp(app.home, app.port), browser)
    answer = page.goto("/live")
    assert answer.status == 403
    assert f"open {app.url} in your browser" in page.inner_text("body")


def test_a_request_to_another_host_is_seen(new_page: Any) -> None:
    page = new_page()
    page.goto("/")
    with page.expect_request("http://127.0.0.1:9/"), page.expect_event("pageerror"):
        page.evaluate("fetch('http://127.0.0.1:9/').catch(() => null)")
        page.evaluate("setTimeout(() => { throw new Error('on purpose') })")
    wrong = new_page.close()
    assert "asked another host: http://127.0.0.1:9/" in wrong
    assert [line for line in wrong if "on purpose" in line]
