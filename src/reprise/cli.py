"""The command line, ``reprise``: run a chapter, verify a record, look after data, rules and the book."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from reprise.errors import RepriseError
from reprise.interruption import Interrupted, interruptible

application = typer.Typer(no_args_is_help=True, add_completion=False)
data_commands = typer.Typer(no_args_is_help=True, help="List, fetch and verify the real data sets.")
claims_commands = typer.Typer(no_args_is_help=True, help="Look after the decision rules of the claims.")
application.add_typer(data_commands, name="data")
application.add_typer(claims_commands, name="claims")


def _print_version(asked: bool) -> None:
    if asked:
        import reprise

        typer.echo(f"reprise {reprise.__version__}")
        raise typer.Exit


@application.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", help="print the version and end", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Reprise: ten papers, re-implemented, run and audited."""


PaperArgument = Annotated[str, typer.Argument(help="slug or package name, e.g. grda; see `reprise papers`")]
ProfileOption = Annotated[str, typer.Option(help="quick, standard or paper")]


@application.command()
def papers() -> None:
    """List the ten papers and whether their chapters are written."""
    from reprise.catalogue import PAPERS
    from reprise.listing import papers_table, show

    show(papers_table(PAPERS))


@application.command()
def parameters(paper: PaperArgument, profile: ProfileOption = "quick") -> None:
    """List a chapter's parameters: meaning, value in the profile, the paper's value."""
    from reprise.catalogue import find_paper
    from reprise.listing import parameters_table, show

    found = find_paper(paper)
    show(parameters_table(found, profile))
    typer.echo(f"\nset one: reprise run {found.slug} -p name=value; a list as -p 'name=[one, two]'")


@application.command()
def run(
    paper: PaperArgument,
    profile: ProfileOption = "quick",
    parameter: Annotated[
        list[str] | None,
        typer.Option(
            "-p",
            "--parameter",
            help="name=value, the value as YAML; repeatable; names and meanings: `reprise parameters PAPER`",
        ),
    ] = None,
    output: Annotated[Path | None, typer.Option(help="folder for notebook, record and data")] = None,
    reuse: Annotated[
        Path | None, typer.Option(help="a record to take the rows from if nothing that determines them changed")
    ] = None,
    keep: Annotated[
        Path | None, typer.Option(help="a record to reuse in the same way if it is there, then replaced by the new one")
    ] = None,
) -> None:
    """Run one chapter: leaves the executed notebook, its record, and the data of its tables and figures."""
    from reprise.parameters import parse_assignments
    from reprise.runner import run_chapter

    notebook = run_chapter(
        paper,
        profile=profile,
        overrides=parse_assignments(parameter or []),
        output=output,
        reuse=reuse,
        keep=keep,
        progress=sys.stderr.isatty(),
    )
    typer.echo(notebook)


@application.command()
def verify(record: Annotated[Path, typer.Argument(help="a record, e.g. results/standard/grda.json")]) -> None:
    """Recompute a record's summary and verdicts from its rows alone, and say whether it is stale."""
    from reprise import verification

    loaded, differences, stale = verification.verify(record)
    for verdict in loaded.verdicts:
        typer.echo(f"{verdict.claim_id:4} {verdict.label}: {verdict.evidence}")
    for problem in differences:
        typer.secho(f"differs: {problem}", fg="red")
    for reason in stale:
        typer.secho(f"stale: {reason}", fg="yellow")
    if differences or stale:
        raise typer.Exit(1)
    typer.echo("summary and verdicts follow from the rows; code, parameters and data are as they were.")


@application.command()
def publish(paper: PaperArgument, profile: ProfileOption = "standard") -> None:
    """Copy this machine's fresh run of a chapter into results/, which the report shows."""
    from reprise import publication

    typer.echo(publication.publish(paper, profile))


@application.command()
def refresh(paper: PaperArgument) -> None:
    """Execute a chapter's notebook with its quick defaults and store the outputs that nbval compares with."""
    from reprise import publication

    typer.echo(publication.refresh(paper))


@application.command()
def new(paper: Annotated[str, typer.Argument(help="slug of a paper, of the catalogue or new: eleventh-paper")]) -> None:
    """Lay out a chapter: a small complete one that runs, to be replaced by the paper's piece by piece."""
    from reprise.catalogue import PAPERS
    from reprise.new_chapter import lay_out
    from reprise.paths import repository

    is_new = not any(paper in (known.slug, known.package) for known in PAPERS)
    files = lay_out(paper)
    for file in files:
        typer.echo(file.relative_to(repository()))
    if is_new:
        typer.echo(
            "changed, an entry at the end: src/reprise/catalogue.py, src/reprise/data/data_sets.csv,\n"
            "  book/references.bib, book/_data/cards.yaml"
        )
    typer.echo(
        "its recipe: book/use-it-on-your-own-data.md\n"
        "\nNext: fill in these entries, then file by file (CONTRIBUTING.md has the order); and\n"
        f"  reprise claims lock {paper}  # until the first published run delete claims.lock and lock again at will\n"
        f"  reprise refresh {paper}      # runs it and stores the outputs that nbval compares with\n"
        f"  pytest tests/{files[-1].parent.name} tests/test_every_chapter.py\n"
        "  make readme                  # the README's table has a line for each paper\n"
        f"  make book PAPERS={paper}"
    )


@application.command()
def book(
    profile: ProfileOption = "quick",
    published_only: Annotated[bool, typer.Option(help="leave out this machine's runs")] = False,
) -> None:
    """Render the book from published runs and, unless left out, this machine's; prints its index page."""
    from reprise.book import build
    from reprise.errors import unknown_name
    from reprise.parameters import PROFILES

    if profile not in PROFILES:
        raise unknown_name("profile", profile, list(PROFILES))
    index = build(profile=profile, published_only=published_only, progress=lambda line: typer.echo(line, err=True))
    typer.echo(index)


@data_commands.command("list")
def data_list(
    paper: Annotated[str | None, typer.Argument(help="only this paper's data, in full")] = None,
    long: Annotated[bool, typer.Option("--long", help="in full: description and licence of each data set")] = False,
) -> None:
    """Show data sets with size, licence and how many of their files are on this machine."""
    from reprise.catalogue import PAPERS, find_paper
    from reprise.data import cache_folder, describe
    from reprise.listing import data_details, data_table, show

    in_full = long or paper is not None
    found = [(entry, row) for entry in (PAPERS if paper is None else (find_paper(paper),)) for row in describe(entry)]
    show(data_details(found) if in_full else data_table(found))
    typer.echo(f"\ncache: {cache_folder()}{'' if in_full else ' (descriptions and whole licences: --long)'}")


@data_commands.command("fetch")
def data_fetch(paper: Annotated[str | None, typer.Argument(help="only this paper's data")] = None) -> None:
    """Fetch data sets that are not on this machine yet, in parallel; finished files are kept."""
    from reprise.data import fetch_all

    files = fetch_all(_patterns(paper), progress=sys.stderr.isatty())
    typer.echo(f"{len(files)} files are here and verified.")


@data_commands.command("verify")
def data_verify(paper: Annotated[str | None, typer.Argument(help="only this paper's data")] = None) -> None:
    """Check every byte of the data on this machine against the registry."""
    from reprise.data import progress_bar, select
    from reprise.data import verify as verify_files

    patterns = _patterns(paper)
    with progress_bar(sum(entry.bytes for entry in select(patterns)), sys.stderr.isatty()) as advance:
        findings = verify_files(patterns, advance=advance)
    for finding in findings:
        if finding.problem:
            typer.secho(finding.problem, fg="red")
    if any(finding.problem for finding in findings):
        raise typer.Exit(1)
    typer.echo(f"all {len(findings)} files are here and whole.")


def _patterns(paper: str | None) -> list[str]:
    from reprise.catalogue import PAPERS, find_paper

    chosen = PAPERS if paper is None else (find_paper(paper),)
    return sorted({pattern for entry in chosen for pattern in entry.files})


@claims_commands.command("lock")
def claims_lock(
    paper: PaperArgument,
    reason: Annotated[str, typer.Option(help="why a locked rule changed; shown beside the verdict")] = "",
) -> None:
    """Lock the decision rules as they stand; a rule that changed needs a reason, which stays visible."""
    from datetime import UTC, datetime

    from reprise.catalogue import find_paper
    from reprise.verification import claims_of, rule_lock

    package = find_paper(paper).package
    lock = rule_lock(package)
    touched = lock.lock(claims_of(package), datetime.now(UTC).replace(microsecond=0), reason)
    lock.save()
    typer.echo(f"locked {', '.join(touched)}." if touched else "nothing changed.")


@application.command()
def schema() -> None:
    """Print the JSON schema of a record."""
    import json

    from reprise.record import schema as record_schema

    typer.echo(json.dumps(record_schema(), indent=1))


def main() -> None:
    """Run the command line; errors meant for the user are one sentence and exit code 1, as is an interruption."""
    try:
        with interruptible():
            application()
    except RepriseError as error:
        typer.secho(f"reprise: {error}", fg="red", err=True)
        sys.exit(1)
    except Interrupted as interruption:
        typer.secho(f"reprise: {interruption}", fg="red", err=True)
        sys.exit(interruption.code)
