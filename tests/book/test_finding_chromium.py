import conftest
import pytest


@pytest.fixture
def no_chromium(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPRISE_CHROMIUM", "/no/such/browser")


def test_without_a_browser_the_module_is_skipped_with_a_clear_line(no_chromium, monkeypatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no Chromium found"):
        conftest.skip_without_chromium()


def test_continuous_integration_never_skips(no_chromium, monkeypatch) -> None:
    monkeypatch.setenv("CI", "true")
    conftest.skip_without_chromium()
    assert conftest.find_chromium() is None
