"""The page as a person meets it: `reveille live` in a process, driven in headless Chromium."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
DRIVER = shutil.which("chromedriver")

pytestmark = pytest.mark.skipif(
    not (CHROMIUM and DRIVER),
    reason="needs chromium and chromedriver (Debian: apt install chromium-driver)",
)

BEATS = 1500
"""Beats of a pass: the same ones stream again and again, before the change and after it."""

PATIENCE_S = 60.0


class Page:
    """A browser with the page open."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver

    def value(self, figure: str, span: str) -> float:
        """Read a figure back; one script, since the page redraws what an element stands for."""
        text = self.driver.execute_script(
            "return document.querySelector("
            "`[data-figure=${arguments[0]}][data-span=${arguments[1]}]`)?.dataset.value",
            figure,
            span,
        )
        return float(text or "nan")

    def text(self, place: str) -> str:
        return str(
            self.driver.execute_script(f"return document.querySelector('{place}').innerText")
        )

    def until(self, span: str, beats: int) -> dict[str, float]:
        """Wait for so many beats and read what the page says of them."""
        end = time.monotonic() + PATIENCE_S
        while not self.value("beats", span) >= beats:
            assert time.monotonic() < end, self.text("body")
            time.sleep(0.1)
        figures = ("beats", "wake_rate", "abnormal_beats", "silent_error_rate", "energy", "battery")
        return {figure: self.value(figure, span) for figure in figures}

    def type(self, name: str, text: str) -> None:
        """Type into a field as at a keyboard, and press Enter."""
        field = self.driver.find_element(By.ID, name)
        field.send_keys(Keys.CONTROL, "a")
        field.send_keys(text, Keys.ENTER)

    def said(self, words: str, place: str = "#said") -> None:
        """Wait for words on the page."""
        end = time.monotonic() + PATIENCE_S
        while words not in (said := self.text(place)):
            assert time.monotonic() < end, said
            time.sleep(0.05)

    def now(self, words: str) -> None:
        """Wait for an operating point to hold."""
        self.said(words, "#point")

    def resize(self, width: int, height: int) -> None:
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


@pytest.fixture
def live(request: pytest.FixtureRequest) -> Iterator[subprocess.Popen[str]]:
    """`reveille live` as it starts; it ends with Ctrl-C and says nothing bad."""
    command = [sys.executable, "-m", "reveille.host.cli", "live", "--page-port", "0"]
    if "{run}" in request.param:
        command += [str(request.getfixturevalue("run"))]
    live = subprocess.Popen(
        [*command, *(option for option in request.param if option != "{run}")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    try:
        yield live
    finally:
        live.send_signal(signal.SIGINT)
        _, errors = live.communicate(timeout=PATIENCE_S)
    assert live.returncode == 0, errors
    assert "Traceback" not in errors


@pytest.fixture
def driver() -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    assert CHROMIUM is not None
    options.binary_location = CHROMIUM
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    driver = webdriver.Chrome(options, webdriver.ChromeService(DRIVER))
    try:
        yield driver
    finally:
        driver.quit()


@pytest.fixture
def address(live: subprocess.Popen[str], driver: webdriver.Chrome) -> str:
    """Address of the page; board and browser have started side by side."""
    assert live.stdout is not None
    line = live.stdout.readline()
    assert line.startswith("Live page: http://"), line + live.communicate()[1]
    return line.split()[-1]


@pytest.fixture
def page(driver: webdriver.Chrome, address: str) -> Page:
    driver.set_window_size(1100, 1200)
    driver.get(address)
    return Page(driver)


FAST = ("--port", "virtual", "--limit", str(BEATS), "--speed", "10000", "--quiet")


def rise(before: dict[str, float], after: dict[str, float], rate: str, of: str) -> float:
    """Return by how many standard errors a rate rose."""
    variance = sum(side[rate] * (1 - side[rate]) / side[of] for side in (before, after))
    return float((after[rate] - before[rate]) / variance**0.5)


@pytest.mark.parametrize("live", [FAST], indirect=True)
def test_errors_turn_into_wake_ups(page: Page, tmp_path: Path) -> None:
    """At a threshold of 40 errors wake the CPU, and do not leave more abnormal beats to sleep.

    At the fitted threshold of 7 they do both: see docs/degraded-operation.md.
    """
    page.type("threshold", "40")
    page.said("Sent")
    page.now("threshold 40")
    before = page.until("since", 2 * BEATS)
    page.type("read_error_rate", "0.2")
    page.now("read errors 0.2,")
    after = page.until("since", 2 * BEATS)
    assert after["wake_rate"] > before["wake_rate"] + 0.15
    assert rise(before, after, "wake_rate", "beats") > 10
    assert rise(before, after, "silent_error_rate", "abnormal_beats") < 3
    assert after["energy"] > before["energy"]
    assert after["battery"] < before["battery"]

    page.type("threshold", "lots")
    page.said("Threshold is 'lots'; it takes a whole number.")
    page.now("threshold 40, budget 255 cycles, read errors 0.2,")

    screenshot = Path(os.environ.get("REVEILLE_SCREENSHOTS", tmp_path))
    screenshot.mkdir(parents=True, exist_ok=True)
    for name, width, height in (("live", 1280, 900), ("live-phone", 390, 1900)):
        page.resize(width, height)
        wide, shown = page.driver.execute_script(
            "const page = document.documentElement; return [page.scrollWidth, page.clientWidth]"
        )
        assert wide == shown, "nothing sticks out"
        assert page.driver.save_screenshot(str(screenshot / f"{name}.png"))
    assert page.driver.get_log("browser") == []


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("live") / "run"
    command = [sys.executable, "-m", "reveille.host.cli", "run", "--front-end", "twin"]
    subprocess.run([*command, "--limit", "200", "--out", path, "--quiet"], check=True)
    return path


@pytest.mark.slow
@pytest.mark.parametrize("live", [("{run}", "--host", "0.0.0.0", "--quiet")], indirect=True)
def test_a_replay_for_another_machine_asks_for_a_token(address: str, page: Page) -> None:
    plain, token = address.split("?token=")
    assert page.driver.current_url == plain, "the token has left the address"
    page.until("all", 20)
    assert page.text("#point") == "A finished run: what was measured stays."
    assert page.driver.find_elements(By.ID, "apply") == []
    page.type("speed", "50")
    page.said("The speed is 50 times life.")
    page.driver.delete_all_cookies()
    page.driver.get(plain)
    assert "asks for a token" in page.text("body")
    page.driver.find_element(By.NAME, "token").send_keys(token, Keys.ENTER)
    page.until("all", 21)
