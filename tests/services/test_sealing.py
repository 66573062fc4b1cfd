"""What is sealed is unreadable, and opened by its keys for its purpose only."""

from datetime import timedelta

from services import sealing

OLD, NEW = "an old secret that was long enough", "a new secret that is long enough too"


def test_what_is_sealed_is_opened_by_the_same_key() -> None:
    sealed = sealing.seal([NEW], "app", "JBSWY3DP")
    assert "JBSWY3DP" not in sealed
    assert sealing.unseal([NEW], "app", sealed) == "JBSWY3DP"


def test_the_same_text_is_sealed_differently_each_time() -> None:
    assert sealing.seal([NEW], "app", "text") != sealing.seal([NEW], "app", "text")


def test_a_key_may_be_replaced() -> None:
    sealed = sealing.seal([OLD], "app", "text")
    assert sealing.unseal([NEW, OLD], "app", sealed) == "text"
    assert sealing.unseal([OLD], "app", sealing.seal([NEW, OLD], "app", "text")) is None
    assert sealing.unseal([NEW], "app", sealed) is None


def test_it_opens_for_no_other_purpose() -> None:
    assert sealing.unseal([NEW], "codes", sealing.seal([NEW], "app", "text")) is None


def test_garbage_opens_to_nothing() -> None:
    for sealed in ("", "x", "gAAAAA", "ü", "\0", sealing.seal([NEW], "app", "text")[:-2]):
        assert sealing.unseal([NEW], "app", sealed) is None


def test_it_may_be_too_old() -> None:
    sealed = sealing.seal([NEW], "app", "text")
    assert sealing.unseal([NEW], "app", sealed, timedelta(minutes=1)) == "text"
    assert sealing.unseal([NEW], "app", sealed, timedelta(seconds=-1)) is None
