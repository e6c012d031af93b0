"""Parts of cocotb benches: clock and reset, drivers, monitors, scoreboard; each for itself.

The discipline that makes them simulator-independent: inputs change at the falling edge of the clock
and outputs are sampled there, so both are steady around the rising edge at which the design acts.
"""
