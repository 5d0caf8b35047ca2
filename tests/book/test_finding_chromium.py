import browsing
import pytest


@pytest.fixture
def no_chromium(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPRISE_CHROMIUM", "/no/such/browser")


def test_without_a_browser_the_module_is_skipped_with_a_clear_line(no_chromium, monkeypatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no Chromium found"):
        browsing.skip_without_chromium()


def test_continuous_integration_never_skips(no_chromium, monkeypatch) -> None:
    monkeypatch.setenv("CI", "true")
    browsing.skip_without_chromium()
    assert browsing.find_chromium() is None
