"""The contract of the soft core as a C header for its firmware."""

from amaranth.hdl import Shape
from amaranth.lib import data

from reveille.hdl.contract import event_layout
from reveille.hdl.parameters import MachineParameters
from reveille.hdl.softcore.contract import (
    ACCUMULATORS,
    CONTEXT_VALUES,
    MAILBOX_BASE,
    PERIPHERAL_BASE,
    SAMPLES,
    SLOT_WORDS,
    MacOperation,
    Peripheral,
    SlotWord,
    SoftCoreParameters,
    Variant,
)

HEADER = """\
// Generated from reveille.hdl.softcore.contract: the soft core as its firmware sees it.

#pragma once

{numbers}

#ifndef __ASSEMBLER__

#include <stdint.h>

// The inputs of a beat, in the order of reveille.hdl.softcore.contract.SlotWord.
struct slot {{
    uint32_t sequence;
    uint32_t residual[SAMPLES / 4];
    int32_t context[CONTEXT_VALUES];
    uint32_t unused[SLOT_WORDS - 1 - SAMPLES / 4 - CONTEXT_VALUES];
}};

#define PERIPHERALS ((volatile uint32_t *)PERIPHERAL_BASE)
#define MAILBOX ((const volatile struct slot *)MAILBOX_BASE)

// Fields of the event that waits.
{accessors}

#endif
"""


def firmware_header(machine: MachineParameters, core: SoftCoreParameters) -> str:
    """Return contract.h: memories, registers, mailbox and event of a build."""
    assert list(SlotWord) == [0, 1, 1 + SAMPLES // 4]  # the order of the struct
    numbers: dict[str, int | str] = {
        "SAMPLES": SAMPLES,
        "CONTEXT_VALUES": CONTEXT_VALUES,
        "SLOT_WORDS": SLOT_WORDS,
        "RAM_BYTES": core.ram_bytes,
        "PERIPHERAL_BASE": f"0x{PERIPHERAL_BASE:08x}",
        "MAILBOX_BASE": f"0x{MAILBOX_BASE:08x}",
        # Byte offsets, so that assembly can use them too.
        **{f"PERIPHERAL_{register.name}": 4 * register for register in Peripheral},
    }
    if core.variant is not Variant.FULL:
        numbers |= {"ACCUMULATORS": ACCUMULATORS}
        numbers |= {f"MAC_{operation.name}": int(operation) for operation in MacOperation}
        numbers |= {"MAC_MAPPED" if core.variant.maps_unit else "MAC_CUSTOM": 1}
    if core.variant.multiplies:
        numbers |= {"MULTIPLIES": 1}
    event = event_layout(machine)
    fields = {name: event[name] for name in event.members if name != "scores"}
    return HEADER.format(
        numbers="\n".join(f"#define {name} {number}" for name, number in numbers.items()),
        accessors="\n".join(_accessor(name, field) for name, field in fields.items()),
    )


def _accessor(name: str, field: data.Field) -> str:
    """Return a C function that reads a field of the event, from one word or from two."""
    first, shift = divmod(field.offset, 32)
    width = Shape.cast(field.shape).width
    parts = [f"PERIPHERALS[PERIPHERAL_EVENT / 4 + {first}] >> {shift}"]
    if shift + width > 32:
        parts.append(f"PERIPHERALS[PERIPHERAL_EVENT / 4 + {first + 1}] << {32 - shift}")
    value = " | ".join(f"({part})" for part in parts)
    mask = f"0x{(1 << width) - 1:x}u"
    return f"static inline uint32_t event_{name}(void) {{ return ({value}) & {mask}; }}"
