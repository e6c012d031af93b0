"""Pages under a headless Chromium: the live page, and the diagrams of the documentation."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from selenium import webdriver


def open_browser() -> webdriver.Chrome:
    """Open a headless Chromium; it and its driver are Debian's ``chromium-driver``."""
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or shutil.which("chromium-browser") or ""
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    return webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver")))


@contextmanager
def live_page(arguments: Sequence[str]) -> Iterator[tuple[webdriver.Chrome, str, int]]:
    """Start `reveille live` on a virtual board and open its page; end both at last.

    Yields:
        The browser, the page's address, and the process number of the command.
    """
    command = [sys.executable, "-m", "reveille.host.cli", "live", "--page-port", "0", "--quiet"]
    live = subprocess.Popen(
        [*command, *arguments],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    driver = open_browser()
    try:
        assert live.stdout is not None
        address = live.stdout.readline().split()[-1]
        driver.get(address)
        yield driver, address, live.pid
    finally:
        driver.quit()
        live.send_signal(signal.SIGINT)
        live.wait()
