"""Reading tables: CSV and Parquet alike, mistakes in one sentence, no group on both sides."""

import numpy as np
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reveille.host.tables.description import Split, TableError, load_description
from reveille.host.tables.observations import Observations, divide, read_observations

TOML = """
data = "data.csv"
label = "kind"
group = "who"
classes = ["calm", "storm"]
normal = ["calm"]
"""
ROWS = """who,kind,x,n
a,calm,0.5,1
a,storm,1.5,2
b,calm,-1e-3,3
c,storm,2.25,4
"""


@pytest.fixture
def written(tmp_path):
    def write(toml: str = TOML, rows: str = ROWS):
        (tmp_path / "t.toml").write_text(toml)
        (tmp_path / "data.csv").write_text(rows)
        return tmp_path / "t.toml"

    return write


def read(path):
    return read_observations(load_description(path))


def test_a_table_is_read(written):
    table = read(written())
    assert table.features == ("x", "n")
    assert table.group.tolist() == ["a", "a", "b", "c"]
    assert table.label.tolist() == [0, 1, 0, 1]
    assert table.values.dtype == np.float32
    assert table.values[:, 0].tolist() == [0.5, 1.5, np.float32(-1e-3), 2.25]


def test_parquet_is_read_like_csv(written, tmp_path):
    from_csv = read(written())
    table = pyarrow.csv.read_csv(tmp_path / "data.csv")
    dictionary = table.set_column(1, "kind", table.column("kind").dictionary_encode())
    for index, content in enumerate((table, dictionary)):
        pq.write_table(content, tmp_path / f"{index}.parquet")
        toml = TOML.replace("data.csv", f"{index}.parquet")
        from_parquet = read(written(toml))
        assert from_parquet.features == from_csv.features
        for name in ("row", "group", "label", "values"):
            assert np.array_equal(getattr(from_parquet, name), getattr(from_csv, name))


def test_classes_and_groups_may_be_numbers(written, tmp_path):
    toml = TOML.replace('["calm", "storm"]', "[0, 1]").replace('["calm"]', "[0]")
    rows = "who,kind,x\n7,0,1\n8,1,2\n"
    from_csv = read(written(toml, rows))
    assert (from_csv.group.tolist(), from_csv.label.tolist()) == (["7", "8"], [0, 1])
    pq.write_table(pyarrow.csv.read_csv(tmp_path / "data.csv"), tmp_path / "data.parquet")
    from_parquet = read(written(toml.replace("csv", "parquet"), rows))
    assert (from_parquet.group.tolist(), from_parquet.label.tolist()) == (["7", "8"], [0, 1])


def test_without_a_group_each_observation_stands_for_itself(written):
    assert (
        len(
            set(
                read(
                    written(
                        TOML.replace('group = "who"\n', "").replace(
                            "normal", 'features = ["x"]\nnormal'
                        )
                    )
                ).group
            )
        )
        == 4
    )


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            'label = "kind"',
            'label = "sort"',
            "data.csv has no column sort; it has who, kind, x, n.",
        ),
        ('group = "who"', 'group = "whom"', "data.csv has no column whom"),
        ('"calm", "storm"]', '"calm", "wind"]', "row 2 has the kind storm, which is none of the"),
        ('normal = ["calm"]', 'normal = ["clam"]', "normal names clam, which is none of the"),
        ('normal = ["calm"]', "normal = []", "normal must be a list of names, not []"),
        ('normal = ["calm"]', "", "lacks normal"),
        ('normal = ["calm"]', 'normal = ["calm", "storm"]', "all classes are normal"),
        ('"calm", "storm"]', '"calm", "storm", "calm"]', "classes names calm twice"),
        ("data.csv", "data.xls", "data.xls is neither .csv nor .parquet"),
        ("data.csv", "gone.csv", "gone.csv, which t.toml names"),
        ("normal =", "norml = 1\nnormal =", "unknown key norml; did you mean normal?"),
        ("normal =", "levels = 6\nnormal =", "levels is 6; the machine takes a power of 2"),
        ("normal =", "silent_share = 2\nnormal =", "silent_share must lie between 0 and 1"),
        ("normal =", 'features = ["y"]\nnormal =', "data.csv has no column y"),
        ("normal =", 'features = ["who"]\nnormal =', "who is the label or the group"),
        ("normal =", 'observables = ["who"]\nnormal =', "who is the label or the group"),
        (
            "normal =",
            'features = ["x"]\nobservables = ["n"]\nnormal =',
            "the front end observes n, which is none of the features",
        ),
        ('normal = ["calm"]', 'normal = ["calm"', "t.toml is no TOML"),
        (
            'normal = ["calm"]',
            'normal = ["calm"]\n[split]\ntest = ["a"]\ntrain = ["a", "b"]',
            "split has the group a on both sides",
        ),
        (
            'normal = ["calm"]',
            'normal = ["calm"]\n[split]\ntest = ["a"]\nseed = 1',
            "leave out fraction and seed, or test",
        ),
        ('normal = ["calm"]', 'normal = ["calm"]\n[split]\ntrain = ["a"]', "but no test groups"),
        ('normal = ["calm"]', 'normal = ["calm"]\n[split]\ntset = []', "did you mean test?"),
    ],
)
def test_a_wrong_description_is_answered_in_a_sentence(written, old, new, said):
    assert old in TOML
    with pytest.raises(TableError) as caught:
        read(written(TOML.replace(old, new)))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("", "data.csv is no table that can be read (Empty CSV file)"),
        ("who,kind,x\n", "data.csv holds no observation"),
        ("who,kind,x\na,calm,1\nb,storm,\n", "row 2 has no number in the column x"),
        ("who,kind,x\na,calm,1\nb,storm,nan\n", "row 2 has no number in the column x"),
        ("who,kind,x\na,calm,1\nb,storm,inf\n", "row 2 has a number in the column x that is inf"),
        ("who,kind,x\na,calm,1\nb,storm,1e99\n", "beyond single precision"),
        ("who,kind,x\na,,1\nb,storm,2\n", "row 1 has no kind"),
        ("who,kind,x\na,calm,1\n,storm,2\n", "row 2 has no who"),
        ("who,kind,x\na,calm,one\nb,storm,2\n", "has no numeric column beside kind and who"),
        ("who,kind,x,x\na,calm,1,2\n", "has two columns x"),
        ("who,kind,x\na,calm\n", "is no table that can be read"),
    ],
)
def test_a_wrong_table_is_answered_in_a_sentence(written, rows, said):
    with pytest.raises(TableError) as caught:
        read(written(rows=rows))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_text_is_no_feature(written):
    toml = TOML.replace("normal", 'features = ["x"]\nnormal')
    with pytest.raises(TableError, match="the column x is not numeric"):
        read(written(toml, "who,kind,x\na,calm,one\nb,storm,2\n"))


groups = st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=40)


def of_groups(names) -> Observations:
    n = len(names)
    return Observations(
        ("x",),
        np.arange(1, n + 1),
        np.array(names),
        np.zeros(n, np.uint8),
        np.arange(n, dtype=np.float32)[:, np.newaxis],
    )


@given(groups, st.floats(0.01, 0.99), st.integers(0, 2**32))
def test_a_draw_never_puts_a_group_on_both_sides(names, fraction, seed):
    split = Split(fraction=fraction, seed=seed)
    try:
        training, test = divide(of_groups(names), split, "t.toml")
    except TableError:
        assert round(fraction * len(set(names))) in (0, len(set(names)))
        return
    assert not set(training.group) & set(test.group)
    assert len(training) + len(test) == len(names)
    _, again = divide(of_groups(sorted(names)), split, "t.toml")
    assert set(again.group) == set(test.group)


def test_named_groups_are_taken_and_the_others_left_out():
    split = Split(test=("c", "d"), train=("a",))
    training, test = divide(of_groups(list("aabcd")), split, "t.toml")
    assert (training.row.tolist(), test.row.tolist()) == ([1, 2], [4, 5])


@pytest.mark.parametrize(
    ("split", "said"),
    [
        (Split(test=("z",)), "there is no group z; there are a, b"),
        (Split(test=("a", "b")), "leaves no group for the training"),
        (Split(fraction=0.1), "leaves no group for the test"),
    ],
)
def test_a_split_that_cannot_be_is_refused(split, said):
    with pytest.raises(TableError, match=said):
        divide(of_groups(list("aab")), split, "t.toml")
