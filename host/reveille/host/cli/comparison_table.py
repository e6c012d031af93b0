"""A comparison of runs as a table on the terminal."""

from rich import box
from rich.table import Table

from reveille.host.comparison.compare import Comparison
from reveille.host.report.comparison_tables import comparison_tables


def comparison_table(comparison: Comparison) -> Table:
    """Build the table: a column a run, intervals below the figures."""
    headline = comparison_tables(comparison)["headline"]
    table = Table(
        title="95 % intervals: over records; of energies, over the card",
        title_justify="left",
        box=box.SIMPLE_HEAD,
    )
    for label, words in headline.header:
        table.add_column(label, justify="left" if words else "right", overflow="fold")
    for line in headline.body:
        table.add_row(*(text for text, _ in line))
    return table
