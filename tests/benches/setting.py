"""What a bench learns from the pytest side: which build it faces."""

import json
import os
from dataclasses import asdict

from reveille.hdl.parameters import Machine, MachineParameters

VARIABLE = "REVEILLE_BENCH_PARAMETERS"


def environment_of(parameters: MachineParameters) -> dict[str, str]:
    return {VARIABLE: json.dumps(asdict(parameters))}


def parameters_of_bench() -> MachineParameters:
    fields = json.loads(os.environ[VARIABLE])
    return MachineParameters(**fields | {"machine": Machine(fields["machine"])})
