import re

import pytest

from reveille.hdl.parameters import Machine, MachineParameters


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rows": 1}, "rows must be an integer from 2 to 16, not 1"),
        ({"columns": 17}, "columns must be an integer from 1 to 16, not 17"),
        ({"address_bits": 0}, "address_bits must be an integer from 1 to 8, not 0"),
        ({"word_bits": 8.0}, "word_bits must be an integer from 2 to 8, not 8.0"),
        ({"queue_depth": 0}, "queue_depth must be an integer from 1 to 64, not 0"),
        ({"fifo_depth": 1}, "fifo_depth must be an integer from 2 to 1024, not 1"),
        ({"read_errors": 1}, "read_errors must be True or False, not 1"),
        (
            {"read_errors": True, "array_timeout_cycles": 32},
            "array_timeout_cycles must be at least 33 in a build with read_errors, "
            "which take 32 cycles, not 32",
        ),
        (
            {"machine": "quantum"},
            "machine must be one of ['stochastic', 'logarithmic'], not 'quantum'",
        ),
        (
            {"machine": Machine.LOGARITHMIC, "word_bits": 2, "columns": 4},
            "columns must be at most 3 for a logarithmic machine of 2 bits, "
            "whose budget is no longer, not 4",
        ),
    ],
)
def test_impossible_build_is_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        MachineParameters(**changes)  # type: ignore[arg-type]
