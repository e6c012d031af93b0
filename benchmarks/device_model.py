"""Error rates of the device families, as tables and figures.

``python benchmarks/device_model.py`` prints the tables of docs/device-model.md;
``--figures FOLDER`` draws its figures as SVG.
"""

import argparse
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from reveille.hdl.parameters import MachineParameters
from reveille.sim.devices import DeviceFamily, FabricatedArray, family_names
from reveille.sim.devices.error_rates import read_error_rate, static_error_rate

ARRAYS = 60
"""Arrays of the field's prototype (1,024 bits each) behind each sampled point."""

POINTS = 21
"""Points of a line."""

FEW_POINTS = 9
"""Points that are sampled."""

LEAST_RATE = 1e-7
"""Rates below this are of no interest to a machine of a thousand bits."""

COLOURS = {
    "hfox": "#1b6ca8",
    "hfox_weak_reset": "#d1495b",
    "stt_mram": "#3a7d44",
    "domain_wall_5": "#8a5a9e",
}

Rates = tuple[float, float]


def closed_form(family: DeviceFamily, margin: float, supply_v: float) -> Rates:
    """Return static bit error rate and read error rate of bits written once."""
    programming = family.programming(margin, attempts=1)
    return (
        static_error_rate(family, programming, supply_v),
        read_error_rate(family, programming, supply_v),
    )


def sampled(family: DeviceFamily, margin: float, supply_v: float, attempts: int) -> Rates:
    """Return the same over sampled arrays, verified at nominal supply."""
    parameters = MachineParameters()
    generator = np.random.default_rng(1)
    rates = []
    for _ in range(ARRAYS):
        array = FabricatedArray.sample(family, parameters, generator)
        words = generator.integers(0, 256, (4, 4, 8), dtype=np.uint8)
        programmed = array.program(words, family.programming(margin, attempts), generator)
        read_out = programmed.read_out(supply_v)
        rates.append((read_out.static_error_rate, read_out.read_error_rate))
    static, read = np.mean(rates, axis=0)
    return float(static), float(read)


def supplies_down(family: DeviceFamily, points: int) -> np.ndarray:
    """Return supplies from nominal down, denser towards the threshold."""
    supply, threshold = family.constants["conditions.supply_v"], family.amplifier.threshold_v
    return threshold + np.geomspace(supply.value - threshold, supply.low - threshold, points)


def draw(axes: list[Axes], x: np.ndarray, rates: list[Rates], **style: object) -> None:
    """Draw both rates over x."""
    for axis, values in zip(axes, np.array(rates).T, strict=True):
        axis.plot(x, np.where(values > LEAST_RATE, values, np.nan), **style)


def figure_of_families(path: Path) -> None:
    """Static and read errors of each family over programming margin and over supply."""
    figure, grid = plt.subplots(2, 2, figsize=(9, 6.8), sharey=True, layout="constrained")
    for name in family_names():
        family = DeviceFamily.load(name)
        style = {"color": COLOURS[name], "label": family.title}
        margins = np.linspace(0, 1, POINTS)
        nominal = family.conditions.supply_v
        draw(list(grid[:, 0]), margins, [closed_form(family, m, nominal) for m in margins], **style)
        supplies = supplies_down(family, POINTS)
        draw(list(grid[:, 1]), supplies, [closed_form(family, 1.0, v) for v in supplies], **style)
    label(grid, "programming margin, at nominal supply", "supply in V, at margin 1")
    figure.legend(
        *grid[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=2, frameon=False
    )
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def figure_of_verify(path: Path) -> None:
    """What verify mends, and what it cannot, for hafnium oxide."""
    family = DeviceFamily.load("hfox")
    nominal = family.conditions.supply_v
    figure, grid = plt.subplots(2, 2, figsize=(9, 6.8), sharey=True, layout="constrained")
    margins = np.linspace(0, 1, POINTS)
    supplies = supplies_down(family, POINTS)
    draw(
        list(grid[:, 0]),
        margins,
        [closed_form(family, m, nominal) for m in margins],
        color="black",
        label="closed form, written once",
    )
    draw(list(grid[:, 1]), supplies, [closed_form(family, 0.4, v) for v in supplies], color="black")
    for attempts, marker, colour in ((1, "o", "#1b6ca8"), (2, "s", "#d1495b"), (5, "^", "#3a7d44")):
        style = {
            "color": colour,
            "marker": marker,
            "markersize": 4,
            "linestyle": "none" if attempts == 1 else "dotted",
            "label": f"sampled, at most {attempts} write{'s' if attempts > 1 else ''}",
        }
        few_margins, few_supplies = np.linspace(0, 1, FEW_POINTS), supplies_down(family, FEW_POINTS)
        draw(
            list(grid[:, 0]),
            few_margins,
            [sampled(family, m, nominal, attempts) for m in few_margins],
            **style,
        )
        draw(
            list(grid[:, 1]),
            few_supplies,
            [sampled(family, 0.4, v, attempts) for v in few_supplies],
            **style,
        )
    label(grid, "programming margin, at nominal supply", "supply in V, at margin 0.4")
    grid[0, 0].legend(fontsize=8, frameon=False, loc="lower left")
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def label(grid: np.ndarray, left: str, right: str) -> None:
    """Label the four panels: rates down, conditions across."""
    for axis in grid.flat:
        axis.set_yscale("log")
        axis.set_ylim(LEAST_RATE, 1)
        axis.grid(alpha=0.3, linewidth=0.5)
        axis.spines[["top", "right"]].set_visible(False)
    grid[0, 0].set_ylabel("static bit error rate")
    grid[1, 0].set_ylabel("read error rate")
    for row in grid:
        row[0].set_xlabel(left)
        row[1].set_xlabel(right)


def print_rates() -> None:
    """Print closed form beside samples for each family."""
    print("| family | margin | supply (V) | window (decades) | static | sampled | read | sampled |")
    print("|---" * 8 + "|")
    for name in family_names():
        family = DeviceFamily.load(name)
        lowest = family.constants["conditions.supply_v"].low
        for margin in (1.0, 0.5, 0.0):
            for supply_v in (family.conditions.supply_v, lowest):
                static, read = closed_form(family, margin, supply_v)
                static_seen, read_seen = sampled(family, margin, supply_v, attempts=1)
                window = family.window_decades(family.programming(margin))
                print(
                    f"| {name} | {margin:g} | {supply_v:g} | {window:.2f} | {static:.2g} | "
                    f"{static_seen:.2g} | {read:.2g} | {read_seen:.2g} |"
                )


def main() -> None:
    """Print tables, or draw figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--figures", type=Path, help="folder for the figures")
    parser.add_argument("--constants", metavar="FAMILY", help="print the constants of a family")
    arguments = parser.parse_args()
    if arguments.constants:
        print(DeviceFamily.load(arguments.constants).constants_table(), end="")
    elif arguments.figures:
        # The same drawing gives the same file.
        mpl.rcParams.update({"svg.hashsalt": "reveille", "svg.fonttype": "none"})
        arguments.figures.mkdir(parents=True, exist_ok=True)
        figure_of_families(arguments.figures / "device-families.svg")
        figure_of_verify(arguments.figures / "device-verify.svg")
    else:
        print_rates()


if __name__ == "__main__":
    main()
