"""Numbers as people read them."""


def percent(share: float | None, digits: int = 1) -> str:
    """Write a share as a percentage, or a dash where it is undefined."""
    return "–" if share is None else f"{100 * share:.{digits}f} %"


def fixed(value: float | None, digits: int = 3) -> str:
    """Write a number with a fixed number of digits, or a dash where it is undefined."""
    return "–" if value is None else f"{value:.{digits}f}"


def signed(value: float | None, digits: int) -> str:
    """Write a difference with its sign, which nothing has none of."""
    if value is None:
        return "–"
    text = f"{value:+.{digits}f}"
    return text[1:] if not float(text) else text.replace("-", "−")


def count(number: int | None) -> str:
    """Write a count with its thousands apart."""
    return "–" if number is None else f"{number:,}"


def span(low: str, high: str) -> str:
    """Write an interval; its unit, where both ends have it, once."""
    number, _, unit = low.partition(" ")
    return f"{number} to {high}" if unit and high.endswith(f" {unit}") else f"{low} to {high}"


def tight(low: str, high: str) -> str:
    """Write an interval of what is not negative as short as can be, below its value."""
    return span(low, high).removesuffix(" %").replace(" to ", "–")
