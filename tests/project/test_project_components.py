import pytest

from components import COMPONENTS, Component, require


def absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(COMPONENTS, "absent", Component("no-package", ("no-such-program",), "x"))


def test_a_missing_component_skips_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    absent(monkeypatch)
    monkeypatch.delenv("GITCA_REQUIRE_ALL", raising=False)
    with pytest.raises(pytest.skip.Exception, match=r"no-such-program.*install no-package"):
        require("absent")


def test_a_missing_component_fails_where_all_are_required(monkeypatch: pytest.MonkeyPatch) -> None:
    absent(monkeypatch)
    monkeypatch.setenv("GITCA_REQUIRE_ALL", "1")
    with pytest.raises(pytest.fail.Exception, match="install no-package"):
        require("absent")


def test_a_component_that_is_here_gives_its_program() -> None:
    assert require("openssl").name == "openssl"
