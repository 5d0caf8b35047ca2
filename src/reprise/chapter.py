"""What a notebook calls: it ties one run of a chapter together, from parameters to the record.

The order of calls is the order of the page: ``headline`` and ``claims_table`` stand at the top and are filled in when
the verdicts are known; ``begin`` validates the parameters; ``rows`` computes or loads; ``figure`` and ``table`` show
and keep their data, where the run has rows for it; ``judge`` gives the verdicts; ``finish`` writes the record.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reprise.catalogue import find_paper
from reprise.claims import Verdict, reservations
from reprise.errors import RepriseError
from reprise.fan_in import fitting_records
from reprise.judging import judge
from reprise.page import Page
from reprise.paths import build_folder, repository, rows_file
from reprise.record import Cost, Provenance, Record, now, rows_to_columns, save, summarise
from reprise.rows import MissingRowsError
from reprise.settings import ChapterSettings

if TYPE_CHECKING:
    import pandas as pd

    from reprise.plots import Drawing

NO_ROWS = "Not shown: this profile, or this part of a run, has no rows for it."
CLAIMS_CAPTION = "The claims of the paper and what became of them."


class ChapterError(RepriseError):
    """A notebook that calls the steps of a chapter in the wrong order, or with records that do not fit."""


class Chapter:
    """One run of one chapter.

    Parameters
    ----------
    name
        Slug or package name of the paper.
    """

    def __init__(self, name: str) -> None:
        import warnings

        from reprise.verification import claims_of

        # A library's progress bar misses its widgets; that is no news to a reader of the page.
        warnings.filterwarnings("ignore", message="IProgress not found")
        self.paper = find_paper(name)
        self.claims = claims_of(self.paper.package)
        self.output = Path(os.environ.get("REPRISE_OUTPUT") or build_folder() / "run" / "interactive")
        self.settings: ChapterSettings | None = None
        self.verdicts: tuple[Verdict, ...] = ()
        self._records: tuple[Record, ...] = ()
        self._rows: pd.DataFrame | None = None
        self._cost: Cost | None = None
        self._modules: dict[str, str] = {}
        self._page = Page(self.output / self.paper.package)

    # ---- top of the page -------------------------------------------------------------------------------------

    def headline(self) -> None:
        """Show the one-sentence verdict and what the run took; filled in by ``finish``."""
        self._page.html("<p>This run has not finished yet.</p>", "This run has not finished yet.", "headline")

    def claims_table(self) -> None:
        """Show the claims; their verdicts and evidence are filled in by ``judge``."""
        from reprise.tables import claims_frame

        self._page.table(claims_frame(self.claims), "claims", CLAIMS_CAPTION)

    # ---- the run ---------------------------------------------------------------------------------------------

    def begin(
        self, settings: ChapterSettings | Mapping[str, Any], records: Sequence[str] | None = None
    ) -> ChapterSettings:
        """Fix the settings of this run and show them; with records, rows are read from these and not computed.

        Parameters
        ----------
        settings
            The settings, or names and values among which each of them is found, and ``records`` if not given apart: a
            notebook passes its own, ``globals()``.
        records
            Files of records.

        Returns
        -------
        ChapterSettings
            The settings, checked.

        Raises
        ------
        ChapterError
            If a parameter of the settings is not among the names.
        SettingsError
            If one has the wrong type or is out of range.
        FanInError
            If the records do not fit (see `reprise.fan_in.fitting_records`).
        """
        from reprise.compute import use_deterministic_algorithms, use_threads
        from reprise.provenance import modules_behind
        from reprise.tables import parameters_frame

        if not isinstance(settings, ChapterSettings):
            records = settings.get("records", ()) if records is None else records
            settings = self._settings_among(settings)
        use_deterministic_algorithms()
        use_threads(settings.threads)
        self.settings = settings
        # Now, not at the end: a file edited during a long run is not the code that the rows come from.
        self._modules = modules_behind(f"reprise.{self.paper.package}.study")
        self._records = fitting_records(self.paper, settings, records or ())
        source = "read from records" if self._records else "computed in this run"
        self._page.table(parameters_frame(settings), "parameters", f"Profile {self.profile()}; rows {source}.")
        return settings

    def rows(self, run: Callable[[Any], pd.DataFrame]) -> pd.DataFrame:
        """Return the tidy rows: of the study ``run(settings)``, or joined from the records."""
        from reprise.compute import Clock, peak_memory_mib
        from reprise.rows import concatenate, tidy

        settings = self._settings()
        if self._records:
            self._rows = concatenate(record.frame() for record in self._records)
            self._cost = Cost(
                seconds=sum(record.cost.seconds for record in self._records),
                peak_memory_mib=max(record.cost.peak_memory_mib for record in self._records),
            )
            return self._rows
        clock = Clock()
        self._rows = tidy(run(settings))
        self._cost = Cost(seconds=round(clock.seconds, 1), peak_memory_mib=round(peak_memory_mib(), 1))
        # What took the time is safe before anything is drawn: a run that fails later starts again from here.
        save(self._record((), ()), rows_file(self.output, self.paper.package))
        return self._rows

    def summary(self) -> tuple[Any, ...]:
        """Return mean and interval of every cell of the study beside the paper's numbers."""
        from reprise.verification import published_numbers

        columns = type(self._settings()).summary_columns
        return summarise(self._computed_rows(), published_numbers(self.paper.package), columns)

    # ---- showing ---------------------------------------------------------------------------------------------

    def figure(
        self, drawing: Drawing | Callable[..., Drawing], *arguments: Any, otherwise: str = NO_ROWS, **options: Any
    ) -> None:
        """Show a figure with its alternative text and caption, and keep the numbers drawn as CSV.

        Parameters
        ----------
        drawing
            The drawing, or the function that makes it.
        *arguments, **options
            What the function takes. Where the run has no rows for the figure, ``otherwise`` is shown instead.
        otherwise
            Sentence that says why there is no figure.
        """
        made = self._made(drawing, arguments, options, otherwise)
        if made is not None:
            self._page.figure(made)

    def table(
        self,
        frame: pd.DataFrame | Callable[..., pd.DataFrame],
        *arguments: Any,
        name: str,
        caption: str,
        data: pd.DataFrame | None = None,
        otherwise: str = NO_ROWS,
        **options: Any,
    ) -> None:
        """Show a table with a caption and keep it as CSV (``data``, if the unrounded numbers differ).

        Parameters
        ----------
        frame
            The table, or the function that makes it.
        *arguments, **options
            What the function takes. Where the run has no rows for the table, or it has no lines, ``otherwise`` is shown
            instead.
        name
            File name of its data, unique in the chapter.
        caption
            What is shown.
        data
            The numbers behind the table, if it shows them rounded.
        otherwise
            Sentence that says why there is no table.
        """
        made = self._made(frame, arguments, options, otherwise)
        if made is not None and made.empty:
            self.say(otherwise)
        elif made is not None:
            self._page.table(made, name, caption, made if data is None else data)

    def say(self, text: str) -> None:
        """Show a paragraph of Markdown whose numbers were computed; nothing if it is empty."""
        if text:
            self._page.markdown(text)

    # ---- the end ---------------------------------------------------------------------------------------------

    def judge(self) -> tuple[Verdict, ...]:
        """Apply the decision rules, show the verdicts, and fill in the table of claims at the top."""
        from reprise.tables import claims_frame, controls_frame, verdicts_data, verdicts_frame
        from reprise.verification import rule_lock

        settings, rows = self._settings(), self._computed_rows()
        lock = rule_lock(self.paper.package)
        lock.require(self.claims)
        self.verdicts = judge(
            self.claims,
            rows,
            embedded_twins=type(settings).embedded_twins,
            reduced_scale=settings.reduced_scale,
            lock=lock,
            computed=self._created(),
        )
        self._page.table(claims_frame(self.claims, self.verdicts), "claims", CLAIMS_CAPTION)
        caption = "Verdicts by the rules fixed beforehand."
        self.table(verdicts_frame(self.verdicts), name="verdicts", caption=caption, data=verdicts_data(self.verdicts))
        if any(verdict.controls for verdict in self.verdicts):
            self.table(controls_frame(self.verdicts), name="controls", caption="Controls of the claims.")
        return self.verdicts

    def finish(self, work: Mapping[str, float] | None = None) -> None:
        """Write the record, show what the run took and what it depends on, and fill in the headline.

        Parameters
        ----------
        work
            Piece of the method (``"one training step of GRDA"``) to its floating-point operations, as far as they are
            known (`reprise.flops`).
        """
        from reprise.tables import cost_frame, provenance_frame

        record = self.record()
        save(record, self.output / f"{self.paper.package}.json")
        self._show_headline(record)
        self._page.table(cost_frame(record, work or {}), "cost", "What the run took, and what one piece of it takes.")
        self._page.table(provenance_frame(record), "provenance", "What this page was made from.")
        benchmark = f"benchmarks/{self.paper.package}.py"
        if (repository() / benchmark).is_file():
            self.say(
                f"`python {benchmark}`, or `make bench` for all chapters, times the fast implementations against the "
                "plain published ones on the machine it runs on and asserts equal results."
            )

    def record(self) -> Record:
        """Return the record of this run."""
        return self._record(self.summary(), self.verdicts or self.judge())

    def _record(self, summary: tuple[Any, ...], verdicts: tuple[Verdict, ...]) -> Record:
        import reprise
        from reprise.data import hashes
        from reprise.machine import hardware
        from reprise.notebook_files import read_notebook, source_sha256
        from reprise.provenance import digest, git_commit, library_versions

        settings, rows = self._settings(), self._computed_rows()
        wanted = [d for d in self.paper.data_sets if d.kind == "real" and d.name in settings.datasets]
        data = hashes([pattern for data_set in wanted for pattern in data_set.files]) if wanted else {}
        provenance = Provenance(
            computation_sha256=digest([self._modules, settings.determining_rows(), data]),
            parameters_sha256=settings.sha256(),
            modules=self._modules,
            data=data,
            notebook_sha256=source_sha256(read_notebook(self.paper.notebook)),
            version=reprise.__version__,
            commit=self._records[0].provenance.commit if self._records else git_commit(),
            libraries=self._records[0].provenance.libraries if self._records else library_versions(),
        )
        assert self._cost is not None
        return Record(
            paper=self.paper.slug,
            package=self.paper.package,
            profile=self.profile(),
            parameters=settings.model_dump(mode="json"),
            rows=rows_to_columns(rows),
            summary=summary,
            verdicts=verdicts,
            provenance=provenance,
            hardware=self._records[0].hardware if self._records else hardware(settings.device),
            cost=self._cost,
            created=self._created(),
            rendered=now(),
            merged_from=tuple(part for record in self._records for part in record.parts()),
        )

    def profile(self) -> str:
        """Return the profile whose parameters these settings are, or ``custom``."""
        from reprise.parameters import PROFILES, profile_parameters

        settings = self._settings()
        for profile in PROFILES:
            try:
                parameters = profile_parameters(self.paper, profile)
            except RepriseError:
                continue
            if type(settings).checked(parameters).sha256() == settings.sha256():
                return profile
        return "custom"

    # ---- inside ----------------------------------------------------------------------------------------------

    def _settings(self) -> ChapterSettings:
        if self.settings is None:
            raise ChapterError("call chapter.begin(settings) before the study.")
        return self.settings

    def _computed_rows(self) -> pd.DataFrame:
        if self._rows is None:
            raise ChapterError("call chapter.rows(run) before tables, verdicts or the record.")
        return self._rows

    def _created(self) -> Any:
        return max(record.created for record in self._records) if self._records else now()

    def _settings_among(self, names: Mapping[str, Any]) -> ChapterSettings:
        from reprise.parameters import settings_class

        kind = settings_class(self.paper)
        if missing := [name for name in kind.model_fields if name not in names]:
            raise ChapterError(f"the notebook has no {', '.join(missing)}; its parameters cell needs every parameter.")
        return kind.checked({name: names[name] for name in kind.model_fields})

    def _made(self, thing: Any, arguments: tuple[Any, ...], options: dict[str, Any], otherwise: str) -> Any:
        """Return what a function makes, or the thing itself; None, and the sentence shown, if rows are missing."""
        if not callable(thing):
            return thing
        try:
            return thing(*arguments, **options)
        except MissingRowsError:
            self.say(otherwise)
            return None

    def _show_headline(self, record: Record) -> None:
        sentence = verdict_sentence(record.verdicts)
        cost = (
            f"Profile {record.profile}: {record.cost.seconds:.0f} s, "
            f"{record.cost.peak_memory_mib:.0f} MiB, on {record.hardware.device}."
        )
        self._page.html(f"<p><strong>{sentence}</strong> {cost}</p>", f"{sentence} {cost}", "headline")


def verdict_sentence(verdicts: Sequence[Verdict]) -> str:
    """Return the verdicts of a chapter in one sentence: how many claims ended how."""
    counts: dict[str, int] = {}
    for verdict in verdicts:
        label = "rehearsed on embedded data" if verdict.rehearsal else verdict.outcome
        counts[label] = counts.get(label, 0) + 1
    parts = ", ".join(f"{number} {label}" for label, number in counts.items())
    return f"Of {len(verdicts)} claims: {parts}{reservations(verdicts)}."
