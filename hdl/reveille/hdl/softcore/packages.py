"""Ready-made Verilog in Python packages."""

from collections.abc import Iterable
from importlib import resources, util

from reveille.hdl.errors import ReveilleError


def packaged_verilog(package: str, distribution: str, files: Iterable[str]) -> str:
    """Return the text of files in a package's folder ``verilog``, one after the other.

    Args:
        package: The package, as it is imported.
        distribution: What is installed to have it.
        files: The files.

    Raises:
        ReveilleError: The package is not installed.
    """
    if util.find_spec(package) is None:
        raise ReveilleError(
            f"The soft core needs {distribution}; install it with "
            f"'python -m pip install {distribution}'."
        )
    folder = resources.files(package) / "verilog"
    return "".join((folder / name).read_text() for name in files)
