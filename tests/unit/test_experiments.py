"""Each experiment runs, in a few steps, and the numbers that are kept are those that it makes."""

import pytest

from experiments import curves, pooling, results, runs, seeing, segmentation, shuffled, training, variants

EXPERIMENTS = [module.EXPERIMENT for module in (curves, pooling, seeing, segmentation, shuffled, training, variants)]


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda each: each.name)
def test_results_are_those_of_the_script(experiment):
    kept, made = results(experiment.name), runs.record(experiment, quick=True)
    assert kept["epochs"] == experiment.epochs
    assert kept.keys() == made.keys()
    assert {run["case"]: run.keys() for run in kept["runs"]} == {run["case"]: run.keys() for run in made["runs"]}
    ran = sorted((run["case"], run["seed"]) for run in kept["runs"])
    assert ran == sorted((case, seed) for case in experiment.cases for seed in range(experiment.seeds))


def test_what_is_there_is_not_run_again(tmp_path, monkeypatch):
    monkeypatch.setattr(runs, "RESULTS", tmp_path)
    monkeypatch.setattr("experiments.RESULTS", tmp_path)
    ran = []
    experiment = runs.Experiment("some", lambda *arguments: ran.append(arguments) or {"right": 1.0}, ["a", "b"], 2, 1)
    runs.record(experiment)
    content = runs.record(experiment._replace(seeds=2))
    assert ran == [("a", 0, 2), ("b", 0, 2), ("a", 1, 2), ("b", 1, 2)]
    assert results("some") == content
    runs.record(experiment._replace(epochs=3))
    assert ran[4:] == [("a", 0, 3), ("b", 0, 3)]


def test_scenes_are_marked_where_an_eight_is():
    picture, mask = segmentation.scenes("validation", 50)
    assert ((mask == 1) <= (picture > segmentation.INK)).all()
    assert segmentation.judge(segmentation.Scenes(picture, mask), mask > 0) == {"IoU": 1, "told": 1, "where": 1}
