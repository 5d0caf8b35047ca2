"""Reprise: the ten Amazon papers at ICLR 2022, re-implemented, run on real data and audited.

One package per paper (``reprise.grda``, …) holds that paper's method as estimators and functions; the modules
beside them hold what all papers share: data, seeds, intervals, claims and their verdicts, records, figures.

Importing this package imports nothing else: the heavy libraries are loaded where they are used.
"""

__version__ = "0.1.0"
