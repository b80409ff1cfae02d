"""What an answer to an export is sealed with: only the holder of its key reads it, and what was changed on the way is not read at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.errors import JoseError

from amont.common.exporting import Key, seal, unsealed

VALUES = st.recursive(
    st.text(max_size=8) | st.integers() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.text(max_size=8), st.lists(VALUES, max_size=3), max_size=3))
def test_what_is_sealed_is_read_by_the_holder_of_the_key(content: dict[str, list[object]]) -> None:
    key = Key.new()
    assert unsealed(seal(content, key.public), key) == content


def test_nobody_else_reads_it() -> None:
    mine, yours = Key.new(), Key.new()
    sealed = seal({"recipient": ["Xylothéa"]}, mine.public)
    assert "recipient" not in sealed
    with pytest.raises(JoseError):
        unsealed(sealed, Key(mine.public, yours.secret))


def test_what_was_changed_on_the_way_is_not_read() -> None:
    key = Key.new()
    head, body, *rest = seal({"a": [1]}, key.public).rpartition(".")
    with pytest.raises(JoseError):
        unsealed(".".join([head, "A" * len(rest[0])]) if body else head, key)


def test_a_large_answer_fits_into_a_record() -> None:
    """Thousands of messages to one person: what is alike is compressed before it is sealed."""
    many = [
        {
            "id": f"{n:032x}",
            "kind": "session-proposed",
            "status": "sent",
            "planned_at": "2027-01-04T08:00:00Z",
            "matter": {"pair": f"{n // 9:032x}"},
        }
        for n in range(5_000)
    ]
    key = Key.new()
    sealed = seal({"messages": many}, key.public)
    assert len(sealed) < 600_000
    assert len(unsealed(sealed, key)["messages"]) == 5_000
