"""A configuration as writes on the register bus: what a host does with a front end after reset."""

from reveille.hdl.contract import Register
from reveille.sim.front_end import FrontEndConfiguration, Policy

RegisterWrite = tuple[int, int]
"""Address and value."""


def policy_writes(policy: Policy) -> list[RegisterWrite]:
    """Return the writes that set the operating point."""
    return [
        (Register.MODE, int(policy.mode)),
        (Register.BUDGET, policy.budget),
        (Register.RACE_COUNT, policy.race_count),
        (Register.THRESHOLD, policy.threshold),
        (Register.NORMAL_MASK, policy.normal_mask),
        (Register.AUDIT_RATE, policy.audit_word),
        (Register.RESEED, int(policy.reseed)),
    ]


def read_error_writes(configuration: FrontEndConfiguration) -> list[RegisterWrite]:
    """Return the writes that set the read errors, in a build that has them."""
    if not configuration.parameters.read_errors:
        return []
    return [
        (Register.READ_ERROR_RATE, configuration.read_errors.rate_word),
        (Register.READ_ERROR_SEED, configuration.read_errors.seed),
    ]


def programming_writes(
    configuration: FrontEndConfiguration, seeds: bool = True
) -> list[RegisterWrite]:
    """Return the writes that program a front end and let it run.

    Args:
        configuration: What to program.
        seeds: Load the LFSRs as well; leave them where they are otherwise.
    """
    writes: list[RegisterWrite] = [(Register.CONTROL, 0), (Register.LIKELIHOOD_ADDRESS, 0)]
    writes += [(Register.LIKELIHOOD_WORD, int(w)) for w in configuration.likelihoods.ravel()]
    writes += policy_writes(configuration.policy) + read_error_writes(configuration)
    if seeds:
        writes += [
            (Register.LFSR_SEED + column, seed) for column, seed in enumerate(configuration.seeds)
        ]
        writes.append((Register.AUDIT_SEED, configuration.audit_seed))
    return [*writes, (Register.CONTROL, 1)]
