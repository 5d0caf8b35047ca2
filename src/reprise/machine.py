"""The machine that a run was made on, described without anything that names it."""

from __future__ import annotations

import os
from pathlib import Path

from reprise.record import Hardware


def hardware(device: str = "auto") -> Hardware:
    """Describe the machine without naming it."""
    import platform

    import psutil
    import torch

    from reprise.compute import resolve_device

    resolved = resolve_device(device)
    accelerator = torch.cuda.get_device_name(resolved) if resolved.type == "cuda" else None
    return Hardware(
        device=resolved.type,
        processor=_processor() or platform.machine(),
        cpu_cores=os.cpu_count() or 1,
        memory_gib=round(psutil.virtual_memory().total / 2**30, 1),
        accelerator=accelerator,
    )


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    import platform

    return platform.processor()
