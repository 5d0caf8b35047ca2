"""nbval runs the notebooks as the quick profile does: one thread, one instruction set, embedded data."""

import os

from reprise.runner import COMMON_INSTRUCTION_SET

os.environ.update(COMMON_INSTRUCTION_SET, REPRISE_PROFILE="quick", PYTHONHASHSEED="0", MPLBACKEND="agg")
