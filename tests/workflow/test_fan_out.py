"""One job per (data set, seed) and a chapter read from their records: the same rows as a single run."""

from tests.workflow.conftest import Tiny, chapter_call

FAN_OUT = ["papers=alpha", "fan_out=true"]


def test_the_fan_out_runs_each_cell_once_and_gives_the_rows_of_a_single_run(tiny: Tiny) -> None:
    assert tiny.snakemake("chapters", config=["papers=alpha"]).returncode == 0
    single = tiny.rows("build/run/quick/alpha.json")
    tiny.calls()
    result = tiny.snakemake("chapters", config=FAN_OUT)
    assert result.returncode == 0, result.stdout
    cells = [call for call in tiny.calls() if "--output" in call]
    assert cells == [
        f'run alpha --profile quick -p datasets=["{dataset}"] -p seeds=[{seed}] '
        f"--output build/cells/quick/alpha/{dataset}/{seed}"
        for dataset in ("large", "small")
        for seed in (0, 1)
    ]
    assert tiny.rows("build/run/quick/alpha.json") == single
    assert len(single) == 4


def test_a_seed_more_runs_only_its_own_cells(tiny: Tiny) -> None:
    assert tiny.snakemake("chapters", config=FAN_OUT).returncode == 0
    tiny.calls()
    result = tiny.snakemake("chapters", config=[*FAN_OUT, "seeds=0,1,2"])
    assert result.returncode == 0, result.stdout
    calls = tiny.calls()
    assert [call for call in calls if "--output" in call] == [
        f'run alpha --profile quick -p datasets=["{dataset}"] -p seeds=[2] --output build/cells/quick/alpha/{dataset}/2'
        for dataset in ("large", "small")
    ]
    assert len(calls) == 3


def test_a_failed_cell_is_the_only_one_that_runs_again(tiny: Tiny) -> None:
    tiny.write("failing", 'alpha["small"][1]')
    assert tiny.snakemake("chapters", config=FAN_OUT).returncode != 0
    assert len(tiny.calls()) == 4
    assert not (tiny.home / "build/run/quick/alpha.json").exists()
    tiny.write("failing", "")
    assert tiny.snakemake("chapters", config=FAN_OUT).returncode == 0
    calls = tiny.calls()
    assert len(calls) == 2
    assert any("--output build/cells/quick/alpha/small/1" in call for call in calls)


def test_data_sets_and_seeds_of_the_command_line_replace_those_of_the_profile(tiny: Tiny) -> None:
    config = ["papers=alpha", "datasets=small", "seeds=7"]
    assert tiny.snakemake("chapters", config=config).returncode == 0
    assert tiny.calls() == [chapter_call("alpha") + ' -p datasets=["small"] -p seeds=[7]']
    assert tiny.rows("build/run/quick/alpha.json") == [["small", 7, 507]]
