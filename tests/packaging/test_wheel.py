"""The built wheel works by itself: nothing that it needs is left behind in the checkout."""

import json
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE_ROOTS = ("hdl", "sim", "host", "boards")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """A wheel of this checkout, built as `pip install .` would build it."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """Call a program of an environment that has the wheel, and no checkout.

    It borrows the other packages of this environment and their programs: a plain line in a .pth
    file adds a folder without reading the .pth files in it, where an editable install would hide.
    """
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False)
    python = folder / "bin" / "python"
    install = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps"]
    subprocess.run([*install, wheel], check=True, capture_output=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    for program in Path(sys.executable).parent.iterdir():
        if not (folder / "bin" / program.name).exists():
            (folder / "bin" / program.name).symlink_to(program)
    work = folder / "work"
    work.mkdir()
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    environment["REVEILLE_CACHE"] = str(folder / "cache")

    def call(*command):
        program = [folder / "bin" / command[0], *command[1:]]
        return subprocess.run(
            program, cwd=work, env=environment, capture_output=True, text=True, check=False
        )

    where = call("python", "-c", "import reveille.host, sys; print(reveille.host.__file__)")
    assert where.stdout.startswith(str(folder)), where.stdout + where.stderr
    return call


def test_the_wheel_holds_every_file_of_the_packages(wheel):
    held = set(zipfile.ZipFile(wheel).namelist())
    tracked = subprocess.run(
        ["git", "ls-files", *SOURCE_ROOTS], cwd=ROOT, capture_output=True, text=True, check=True
    )
    wanted = {path.split("/", 1)[1] for path in tracked.stdout.splitlines()}
    assert wanted
    assert wanted - held == set()
    firmware = {f"reveille/host/firmware/sources/{p.name}" for p in (ROOT / "firmware").iterdir()}
    assert firmware - held == set()


@pytest.mark.parametrize(
    "arguments", [["--help"], ["doctor"], ["licences"], ["build", "--list"]], ids=" ".join
)
def test_commands_answer(installed, arguments):
    answer = installed("reveille", *arguments)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout


@pytest.mark.slow
@pytest.mark.parametrize("front_end", ["twin", "rtl", "binarised", "binarised-rtl"])
def test_runs_need_no_checkout(installed, front_end):
    answer = installed("reveille", "run", "--limit", "50", "--front-end", front_end, "--json")
    assert answer.returncode == 0, answer.stderr
    assert json.loads(answer.stdout)["beats"] == 50


@pytest.mark.slow
def test_firmware_is_built_from_the_sources_in_the_wheel(installed):
    pytest.importorskip("ziglang", reason="needs the extra 'softcore'")
    answer = installed("reveille", "run", "--limit", "50", "--back-end", "firmware", "--json")
    assert answer.returncode == 0, answer.stderr
    assert json.loads(answer.stdout)["service_cycles"]["mean"] > 0
