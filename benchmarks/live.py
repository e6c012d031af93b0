"""The live page, driven: errors become wake-ups, read off the page; and its screenshot.

    python benchmarks/live.py [--beats N] [--screenshot FILE]

Starts `reveille live` on a virtual board, opens its page in headless Chromium, types operating
points, and reads wake-up rate and silent errors back after so many beats of each: passes over the
same ones. Needs Chromium and its driver (Debian: ``apt install chromium-driver``).
"""

import argparse
import io
import json
import time
from pathlib import Path

from pages import live_page
from PIL import Image
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

THRESHOLDS = (7, 40)
"""The fitted one, and one that is on the safe side."""

ERRORS = (0.0, 0.2)

WIDTH, HEIGHT = 1280, 985

FIGURES = ("beats", "abnormal_beats", "wake_rate", "silent_error_rate", "energy", "battery")


def main() -> None:
    """Drive the page and print what it said."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--beats", type=int, default=24_318, help="beats of an operating point")
    parser.add_argument("--screenshot", type=Path, help="PNG file to write")
    options = parser.parse_args()
    with live_page(["--speed", "10000", "--window", "600"]) as (driver, *_):
        size = {"width": WIDTH, "height": HEIGHT, "deviceScaleFactor": 1, "mobile": False}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        points = [
            measured(driver, threshold, errors, options.beats)
            for threshold in THRESHOLDS
            for errors in ERRORS
        ]
        if options.screenshot:
            screenshot(driver, options.screenshot)
    print(json.dumps(points, indent=2))


def measured(
    driver: webdriver.Chrome, threshold: int, errors: float, beats: int
) -> dict[str, float]:
    """Type an operating point and read off the page what became of so many beats."""
    type_text(driver, "threshold", f"{threshold}")
    type_text(driver, "read_error_rate", f"{errors:g}")
    wanted = (f"threshold {threshold},", f"read errors {errors:g},")
    while not all(part in text(driver, "#point") for part in wanted):
        time.sleep(0.05)
    while (figures := read_back(driver))["beats"] < beats:
        time.sleep(0.05)
    return {"threshold": threshold, "read_error_rate": errors, **figures}


def type_text(driver: webdriver.Chrome, name: str, typed: str) -> None:
    """Type into a field and press Enter."""
    driver.find_element(By.ID, name).send_keys(Keys.CONTROL, "a")
    driver.find_element(By.ID, name).send_keys(typed, Keys.ENTER)


def text(driver: webdriver.Chrome, place: str) -> str:
    """Return what stands at a place."""
    return str(driver.execute_script(f"return document.querySelector('{place}').innerText"))


def read_back(driver: webdriver.Chrome) -> dict[str, float]:
    """Read the figures since the last change, all of one picture."""
    shown = driver.execute_script(
        "return Object.fromEntries([...document.querySelectorAll('[data-span=since]')]"
        ".map(cell => [cell.dataset.figure, Number(cell.dataset.value)]))"
    )
    return {name: round(float(shown[name]), 4) for name in FIGURES}


def screenshot(driver: webdriver.Chrome, path: Path) -> None:
    """Write what the page looks like, in few colours: it has few."""
    type_text(driver, "speed", "20")
    driver.execute_script("document.activeElement.blur(); window.scrollTo(0, 0)")
    time.sleep(3)
    picture = Image.open(io.BytesIO(driver.get_screenshot_as_png())).convert("RGB")
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.quantize(128, dither=Image.Dither.NONE).save(path, optimize=True)


if __name__ == "__main__":
    main()
