"""Observations whose classes differ in some features and not in others."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from reveille.host.tables.description import load_description
from reveille.host.tables.observations import Observations

TOML = """
data = "data.{suffix}"
label = "kind"
group = "who"
classes = ["calm", "breeze", "storm"]
normal = ["calm", "breeze"]
observables = 3
silent_share = 0.05
"""

CLASSES = ("calm", "breeze", "storm", "flood")
FEATURES = ("noise", "strong", "weak", "same", "constant")


def observations(
    seed: int = 0, groups: int = 40, each: int = 12, shares: Sequence[float] = (0.5, 0.2, 0.3)
) -> Observations:
    """Draw groups of observations; `strong` and `weak` tell the classes apart."""
    random = np.random.default_rng(seed)
    n = groups * each
    label = random.choice(len(shares), n, p=shares).astype(np.uint8)
    values = random.normal(size=(n, len(FEATURES)))
    values[:, 1] += np.array([0.0, 1.5, 4.0, 4.0])[label]
    values[:, 2] += np.array([0.0, 2.0, 1.0, 4.0])[label]
    values[:, 4] = 7.0
    return Observations(
        FEATURES,
        np.arange(1, n + 1),
        np.repeat([f"g{i}" for i in range(groups)], each),
        label,
        values.astype(np.float32),
    )


def write(observed: Observations, path) -> None:
    """Write observations as CSV or Parquet, whichever the name ends in."""
    columns = {"who": observed.group, "kind": np.array(CLASSES)[observed.label]}
    columns |= {name: observed.values[:, i] for i, name in enumerate(observed.features)}
    table = pa.table({name: pa.array(values) for name, values in columns.items()})
    if path.suffix == ".csv":
        pyarrow.csv.write_csv(table, path)
    else:
        pq.write_table(table, path)


def described(folder, toml: str = TOML, suffix: str = "csv"):
    """Write a description and read it back."""
    path = folder / "t.toml"
    path.write_text(toml.format(suffix=suffix))
    return load_description(path)
