"""Write a table that scikit-learn carries, and its description, for `reveille run --table`.

The Breast Cancer Wisconsin (Diagnostic) data: thirty measures of cell nuclei in a fine-needle
aspirate, one a patient, benign or malignant (Street, Wolberg and Mangasarian, 1993).
"""

import sys
from pathlib import Path

from sklearn.datasets import load_breast_cancer

DESCRIPTION = """\
name = "Breast Cancer Wisconsin (Diagnostic)"
data = "breast_cancer.csv"
label = "diagnosis"
group = "patient"
classes = ["benign", "malignant"]
normal = ["benign"]
# The network sees all thirty measures; the front end five, chosen on the training patients.
observables = 5

[split]
fraction = 0.4
seed = 0
"""


def main(folder: Path) -> None:
    """Write the table and its description into a folder."""
    data = load_breast_cancer(as_frame=True)
    table = data.frame.rename(columns={"target": "diagnosis"})
    table["diagnosis"] = data.target_names[table["diagnosis"]]
    table.insert(0, "patient", range(1, len(table) + 1))
    folder.mkdir(parents=True, exist_ok=True)
    table.to_csv(folder / "breast_cancer.csv", index=False)
    (folder / "breast_cancer.toml").write_text(DESCRIPTION, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
