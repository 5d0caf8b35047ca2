"""Claims with their decision rules, what a rule finds, and the verdict that is made of it.

A claim is data: identifier, sentence, place in the paper, printed value, and a rule (a function of the tidy rows).
`reprise.judging` applies the rules; `reprise.rule_lock` keeps their hashes so that a later change stays visible.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field

from reprise.provenance import function_fingerprint

if TYPE_CHECKING:
    import pandas as pd

    from reprise.stats import Interval

Outcome = Literal["reproduced", "partly reproduced", "not reproduced", "inconclusive", "not testable here"]
OUTCOMES: tuple[Outcome, ...] = (
    "reproduced",
    "partly reproduced",
    "not reproduced",
    "inconclusive",
    "not testable here",
)
Kind = Literal["ordering", "effect size", "absolute value", "shape of a curve", "cost", "theory"]


@dataclass(frozen=True)
class Finding:
    """What a decision rule says about the rows.

    Attributes
    ----------
    outcome
        One of the five outcomes.
    evidence
        A sentence with the figures and intervals on which it rests.
    interval
        The figure that decides, with its interval, if there is one.
    seeds_to_settle
        For an inconclusive finding, the number of seeds that would decide it.
    quantity
        What the interval is an interval of, with its unit: ``"GRDA − DANN on DG-15, points of accuracy"``. Readers see
        it beside the estimate, so a finding with an interval needs it.
    """

    outcome: Outcome
    evidence: str
    interval: Interval | None = None
    seeds_to_settle: int | None = None
    quantity: str = ""

    def __post_init__(self) -> None:
        if (self.interval is None) == bool(self.quantity):
            raise ValueError(
                f"quantity = {self.quantity!r}, interval = {self.interval}: give both or neither; a reader has to know "
                "what an estimate is an estimate of."
            )


@dataclass(frozen=True)
class Control:
    """A setting in which the claimed effect must appear (or must not), to show that the rule can tell.

    ``check`` returns whether the control holds and a sentence with its figures.
    """

    name: str
    check: Callable[[pd.DataFrame], tuple[bool, str]]


@dataclass(frozen=True)
class Claim:
    """One claim of a paper and the rule that decides it.

    Attributes
    ----------
    id
        Short identifier within the paper, e.g. ``"C1"``.
    text
        The claim in one sentence.
    source
        Where it is made: ``"Table 1"``, ``"Section 4.2"``, ``"Amazon Science blog"``.
    kind
        What sort of statement it is.
    paper_value
        The printed figure, as text; empty if there is none.
    rule
        Function of the tidy rows; its docstring holds the rule in words. None for a claim that cannot be tested.
    data_sets
        Data sets that the rule needs. Only their rows (and those named ``"theory"``) reach the rule.
    controls
        Settings in which the effect must, or must not, appear.
    control_data_sets
        Data sets that only the controls need, e.g. a generator in which the effect is known. A run without them gives
        a verdict all the same; the control is then shown as not run.
    untestable_because
        For a claim without a rule: exactly what is missing.
    always_full_scale
        True for statements that no budget can reduce, e.g. identities.
    """

    id: str
    text: str
    source: str
    kind: Kind
    paper_value: str
    rule: Callable[[pd.DataFrame], Finding] | None = None
    data_sets: tuple[str, ...] = ()
    controls: tuple[Control, ...] = field(default=())
    control_data_sets: tuple[str, ...] = ()
    untestable_because: str = ""
    always_full_scale: bool = False

    def __post_init__(self) -> None:
        if (self.rule is None) != bool(self.untestable_because):
            raise ValueError(f"claim {self.id}: give either a rule or untestable_because, not both or neither.")
        if self.rule is not None and not self.rule_text:
            raise ValueError(f"claim {self.id}: the rule needs a docstring, which readers see as the rule.")

    @property
    def rule_text(self) -> str:
        """The rule in words: the paragraph after the summary line of its docstring (or that line alone)."""
        if self.rule is None:
            return ""
        documented = getattr(self.rule, "func", self.rule)
        paragraphs = (documented.__doc__ or "").strip().split("\n\n")
        return " ".join(paragraphs[1 if len(paragraphs) > 1 else 0].split())

    def rule_sha256(self) -> str:
        """The fingerprint of the rule with everything that it calls."""
        return "" if self.rule is None else function_fingerprint(self.rule)


class ControlResult(BaseModel):
    """Whether a control of a claim held."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    holds: bool | None = Field(description="None: the run has no rows for it")
    evidence: str


class Verdict(BaseModel):
    """A claim with what was found about it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    claim_id: str
    text: str
    source: str
    kind: str
    paper_value: str
    outcome: Outcome
    reduced_scale: bool = Field(description="the run was smaller than the paper's")
    evidence: str
    quantity: str = Field("", description="what the estimate is an estimate of, with its unit")
    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    n_seeds: int | None = None
    stability: float | None = Field(
        None, ge=0, le=1, description="share of bootstrap draws over seeds with the same outcome"
    )
    seeds_to_settle: int | None = None
    rule: str = ""
    rule_sha256: str = ""
    rule_changed: str | None = Field(None, description="date and reason if the rule changed after the run")
    rehearsal: Outcome | None = Field(None, description="what the rule gives on embedded data; no verdict")
    controls: tuple[ControlResult, ...] = ()

    @property
    def is_scaled(self) -> bool:
        """Whether the verdict holds at the run's smaller scale only."""
        return self.rehearsal is None and self.reduced_scale and self.outcome in OUTCOMES[:3]

    @property
    def failed_controls(self) -> tuple[str, ...]:
        """Names of the controls that do not hold; a rehearsal decides nothing and has none."""
        decided = self.rehearsal is None and self.outcome in OUTCOMES[:4]
        return tuple(control.name for control in self.controls if decided and control.holds is False)

    @property
    def label(self) -> str:
        """The verdict as readers see it."""
        if self.rehearsal is not None:
            return f"quick run (the rule gives: {self.rehearsal})"
        failed = len(self.failed_controls)
        control = "" if not failed else "; a control fails" if failed == 1 else f"; {failed} controls fail"
        return f"{self.outcome}{' (at reduced scale)' if self.is_scaled else ''}{control}"


def reservations(verdicts: Sequence[Verdict]) -> str:
    """Return what a count of these verdicts has to be read with, to be put behind it; empty if there is nothing.

    That they hold at reduced scale, and for which claims a control fails.
    """
    scale = " (at reduced scale)" if any(verdict.is_scaled for verdict in verdicts) else ""
    claims = [verdict.claim_id for verdict in verdicts if verdict.failed_controls]
    named = " and ".join([", ".join(claims[:-1]), claims[-1]] if len(claims) > 1 else claims)
    return f"{scale}; a control fails for {named}" if claims else scale
