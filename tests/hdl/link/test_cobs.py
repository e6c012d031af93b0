"""Our COBS against the package of that name."""

from cobs import cobs
from hypothesis import given
from hypothesis import strategies as st

from reveille.hdl.link.frames import LONGEST_FRAME, stuff, unstuff


@given(
    st.binary(max_size=LONGEST_FRAME)
    | st.lists(st.sampled_from([0, 1, 255]), max_size=LONGEST_FRAME).map(bytes)
)
def test_agrees_with_the_package(content: bytes) -> None:
    assert stuff(content) == cobs.encode(content)
    assert unstuff(cobs.encode(content)) == content
