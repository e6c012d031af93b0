"""Memory of the live page over time, with browsers that look, leave and come again.

    python benchmarks/live_memory.py [--minutes M] [--speed S]

Starts `reveille live` on a virtual board with one page open in headless Chromium, and opens a
second one anew every 20 s. Reads the resident memory of the command and of its virtual board. Needs
Chromium and its driver (Debian: ``apt install chromium-driver``).
"""

import argparse
import json
import sys
import time
from pathlib import Path

from pages import live_page
from selenium import webdriver

WARM_S = 60.0
"""Until then what is loaded at its first use still comes in."""

EVERY_S = 20.0


def main() -> None:
    """Watch, and print what was seen."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=18.0, help="how long, after a minute")
    parser.add_argument("--speed", type=float, default=10.0, help="times as fast as in life")
    options = parser.parse_args()
    with live_page(["--speed", f"{options.speed:g}"]) as (driver, page, live):
        time.sleep(WARM_S)
        begun_s, first_beats = time.monotonic(), beats(driver)
        seen = [{"s": 0, "mib": memory_mib(live)}]
        while time.monotonic() < begun_s + 60 * options.minutes:
            look_anew(driver, page)
            time.sleep(EVERY_S)
            elapsed_s = round(time.monotonic() - begun_s)
            seen.append({"s": elapsed_s, "mib": memory_mib(live)})
            print(json.dumps(seen[-1]), file=sys.stderr, flush=True)
        streamed = beats(driver) - first_beats
    parts = list(seen[0]["mib"])
    grown = {part: [seen[i]["mib"][part] for i in (0, len(seen) // 2, -1)] for part in parts}
    print(json.dumps({"minutes": options.minutes, "beats": streamed, "start_half_end_mib": grown}))


def look_anew(driver: webdriver.Chrome, page: str) -> None:
    """Close the second page, and open it again."""
    first = driver.window_handles[0]
    for other in driver.window_handles[1:]:
        driver.switch_to.window(other)
        driver.close()
    driver.switch_to.window(first)
    driver.switch_to.new_window("tab")
    driver.get(page)
    driver.switch_to.window(first)


def beats(driver: webdriver.Chrome) -> int:
    """Read off the page how many beats there were."""
    cell = "document.querySelector('[data-figure=beats][data-span=all]')"
    return int(driver.execute_script(f"return {cell}.dataset.value"))


def memory_mib(pid: int) -> dict[str, float]:
    """Return the resident memory of the command and of its virtual board, MiB."""
    board = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return {"page": resident_mib(pid), "board": sum(resident_mib(int(child)) for child in board)}


def resident_mib(pid: int) -> float:
    """Return the resident memory of a process, MiB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return round(next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024, 1)


if __name__ == "__main__":
    main()
