"""Tables of reports on the terminal."""

from rich import box
from rich.table import Table

from reveille.host.report.tables import Table as ReportTable


def plain_table(table: ReportTable, most: int | None = None) -> Table:
    """Build a table for the terminal.

    Args:
        table: What a report shows.
        most: Lines at most, from the top.
    """
    shown = Table(
        title=table.title,
        title_justify="left",
        box=box.SIMPLE_HEAD,
        collapse_padding=True,
        pad_edge=False,
    )
    for place, (label, words) in enumerate(table.header):
        left = words or place == 0
        shown.add_column(label, justify="left" if left else "right", no_wrap=True)
    for line in table.body[:most]:
        shown.add_row(*(text for text, _ in line))
    return shown
