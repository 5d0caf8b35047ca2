"""The search: its steps by brute force, exact resume, the stop rule, what it finds where it is known, and bad input."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch

from reprise.compute import torch_generator
from reprise.deep_aa import search as search_module
from reprise.deep_aa.gradient_rewards import cosine, direction
from reprise.deep_aa.image_checks import DeepAAInputError
from reprise.deep_aa.networks import DigitNetwork
from reprise.deep_aa.policy import draw_index
from reprise.deep_aa.search import DeepAASearch, Rewards, SearchConfig, first_logits, search_policy, through
from reprise.deep_aa.search_state import SearchState, load_state, save_state
from reprise.deep_aa.space import AugmentationSpace
from reprise.deep_aa.step_rewards import stacked
from reprise.deep_aa.training import as_floats
from reprise.deep_aa.units import UnitSource

SPACE = AugmentationSpace(16, ops=("Identity", "ShearX", "Invert", "RandFlip", "RandCrop"))
TINY = SearchConfig(
    n_layers=2, steps=4, units=3, n_validation=4, n_cached=2, n_grad=5, n_prefix=2, lr=0.1, init_identity=2.0
)


@pytest.fixture(scope="module")
def data():
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (36, 3, 16, 16), generator=generator, dtype=torch.uint8)
    labels = torch.arange(36) % 3
    return images[:18], labels[:18], images[18:], labels[18:]


@pytest.fixture(scope="module")
def model():
    generator = torch.Generator().manual_seed(1)
    return DigitNetwork(3, mean=[0.5] * 3, deviation=[0.25] * 3, generator=generator).eval()


def another_loss(logits, labels):
    return 2 * torch.nn.functional.cross_entropy(logits, labels, reduction="none")


def run(model, data, config=TINY, **options):
    search = DeepAASearch(model, SPACE, config, **options)
    return search.fit(*data), search


def test_equal_seeds_find_equal_policies_and_other_seeds_others(model, data):
    first, again, other = (run(model, data, seed=seed)[0].probabilities for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    np.testing.assert_allclose(first.sum(1).numpy(), 1.0)


@pytest.mark.parametrize("killed_after", [1, 4, 6])
def test_a_search_that_is_killed_goes_on_and_finds_the_same(model, data, tmp_path, monkeypatch, killed_after):
    whole, search = run(model, data)
    path = tmp_path / "folder" / "search.pt"
    calls = 0
    rewards = DeepAASearch.rewards

    def until_killed(self, *arguments):
        nonlocal calls
        calls += 1
        if calls > killed_after:
            raise KeyboardInterrupt
        return rewards(self, *arguments)

    monkeypatch.setattr(DeepAASearch, "rewards", until_killed)
    with pytest.raises(KeyboardInterrupt):
        run(model, data, checkpoint=path, checkpoint_every=1)
    monkeypatch.setattr(DeepAASearch, "rewards", rewards)
    resumed, after = run(model, data, checkpoint=path, checkpoint_every=1)
    assert torch.equal(resumed.probabilities, whole.probabilities)
    assert after.history_.equals(search.history_)


def test_a_finished_search_is_read_and_not_made_again(model, data, tmp_path, monkeypatch):
    path = tmp_path / "search.pt"
    found, _ = run(model, data, checkpoint=path)
    monkeypatch.setattr(DeepAASearch, "rewards", lambda *_: pytest.fail("searched again"))
    again, _ = run(model, data, checkpoint=path)
    assert torch.equal(found.probabilities, again.probabilities)


def test_a_state_of_another_search_is_refused(model, data, tmp_path):
    path = tmp_path / "search.pt"
    run(model, data, replace(TINY, steps=1, n_layers=1), checkpoint=path)
    with pytest.raises(DeepAAInputError, match="other options, seed, network"):
        run(model, data, checkpoint=path)
    same = replace(TINY, steps=1, n_layers=1)
    with pytest.raises(DeepAAInputError, match="transformations, loss"):
        run(model, data, same, checkpoint=path, loss=another_loss)
    wider = AugmentationSpace(16, ops=SPACE.operations, crop_pad=3)
    with pytest.raises(DeepAAInputError, match="transformations, loss"):
        DeepAASearch(model, wider, same, checkpoint=path).fit(*data)
    path.write_bytes(b"no state")
    with pytest.raises(DeepAAInputError, match="delete it"):
        run(model, data, checkpoint=path)


def test_states_survive_writing(tmp_path):
    probe = torch.tensor([0.5, 2.0])
    state = SearchState("name", probe, torch.arange(3.0), [torch.ones(3)], 2, None, [{"layer": 1.0}], False)
    save_state(tmp_path / "s.pt", state)
    read = load_state(tmp_path / "s.pt", "name", probe * 1.0001)
    assert read.step == 2
    assert read.history == [{"layer": 1.0}]
    assert torch.equal(read.logits, state.logits)


def test_each_layer_is_searched_behind_the_finished_ones(model, data, monkeypatch):
    handed, rewards = [], DeepAASearch.rewards

    def spied(self, space, units, layers, generator):
        handed.append(list(layers))
        return rewards(self, space, units, layers, generator)

    monkeypatch.setattr(DeepAASearch, "rewards", spied)
    policy, _ = run(model, data, replace(TINY, n_layers=3, stop_identity=1.0))
    assert [len(layers) for layers in handed] == [1] * 4 + [2] * 4 + [3] * 4
    for number, layers in enumerate(handed):
        for finished, found in zip(layers[:-1], policy.probabilities, strict=False):
            assert torch.equal(finished, found)
        if number % TINY.steps == 0:
            assert torch.equal(layers[-1], first_logits(SPACE, TINY.init_identity).softmax(0))


def test_the_first_layers_rewards_are_exact_and_pay_nothing_on_average(model, data):
    search = DeepAASearch(model, SPACE, TINY)
    units = search.source(*data).draw(3, torch_generator(0, "units"))
    p = first_logits(SPACE, 2.0).softmax(0)
    found = search.rewards(SPACE, units, [p], torch_generator(0, "draws"))
    tried = as_floats(SPACE.expand(units.images, torch_generator(0, "draws"))[1])
    labels = units.labels[1].expand(len(tried))
    g = search.gradients.mean_gradient(tried, labels, p.float())
    expected = search.gradients.rewards(tried, labels, direction(units.targets[1], g))
    torch.testing.assert_close(found.values[1].float(), expected)
    assert found.cosines[1] == pytest.approx(float(cosine(units.targets[1], g)))
    assert float((found.values @ p).abs().max()) < 1e-6


def test_deeper_rewards_are_the_mean_over_prefixes(model, data, monkeypatch):
    """Against a brute force over the draws made: prefixes of both kinds, and a layer that changes what g is of."""
    space = AugmentationSpace(16, ops=("Identity", "ShearX", "Invert"))
    half = torch.zeros(len(space), dtype=torch.float64)
    half[space.identity] = half[space.slice_of("Invert")] = 0.5
    shear = torch.zeros(len(space), dtype=torch.float64)
    shear[space.slice_of("ShearX").start] = 1.0
    drawn = []

    def recorded(*arguments):
        drawn.append(draw_index(*arguments))
        return drawn[-1]

    monkeypatch.setattr(search_module, "draw_index", recorded)
    search = DeepAASearch(model, space, replace(TINY, n_prefix=6, n_grad=7))
    units = search.source(*data).draw(2, torch_generator(0, "units"))
    found = search.rewards(space, units, [half, shear], torch_generator(0, "draws"))
    prefixes, before, current = drawn
    assert len(set(prefixes[:6].tolist())) == 2
    assert set(current.tolist()) == {space.slice_of("ShearX").start}
    for unit in range(2):
        image, label = units.images[unit : unit + 1], units.labels[unit]
        starts = [space.apply(image, prefixes[at : at + 1]) for at in range(6 * unit, 6 * unit + 6)]
        through_both = [
            space.apply(space.apply(image, before[at : at + 1]), current[at : at + 1])
            for at in range(7 * unit, 7 * unit + 7)
        ]
        g = sum(search.gradients.mean_gradient(as_floats(one), label[None]) for one in through_both) / 7
        u = direction(units.targets[unit], g)
        tried = [as_floats(space.expand(one)[0]) for one in starts]
        rewards = [search.gradients.rewards(one, label.expand(len(one)), u) for one in tried]
        torch.testing.assert_close(found.values[unit].float(), sum(rewards) / 6, rtol=1e-4, atol=1e-6)
        assert float((rewards[0] - sum(rewards) / 6).abs().max()) > 1e-4


def test_the_penalty_begins_behind_the_first_layer(model, data):
    without, with_it = (run(model, data, replace(TINY, std_weight=weight))[0].probabilities for weight in (0.0, 5.0))
    assert torch.equal(without[0], with_it[0])
    assert not torch.equal(without[1], with_it[1])


def test_the_search_does_not_turn_signs(data):
    shear = torch.zeros(len(SPACE), dtype=torch.float64)
    place = SPACE.slice_of("ShearX").start
    shear[place] = 1.0
    seen = through(SPACE, [shear], data[0], torch_generator(0, "signs"))
    assert torch.equal(seen, SPACE.apply(data[0], torch.full((len(data[0]),), place)))
    mirrored = SPACE.apply(data[0], torch.full((len(data[0]),), place), torch_generator(0), mirror_signed=True)
    assert not torch.equal(seen, mirrored)


def test_a_units_v_is_of_its_images_class(model, data):
    source = DeepAASearch(model, SPACE, TINY).source(*data)
    asked = []
    original = source.gradients.mean_gradient

    def recorded(images, labels, weights=None):
        asked.append(labels.tolist())
        return original(images, labels, weights)

    source.gradients.mean_gradient = recorded
    units = source.draw(8, torch_generator(1, "units"))
    assert all(len(set(batch)) == 1 and len(batch) == TINY.n_validation for batch in asked)
    for label, v in zip(units.labels.tolist(), units.targets, strict=True):
        kept = [source.target(label, number) for number in range(TINY.n_cached)]
        assert any(torch.equal(v, one) for one in kept)


def test_the_objective_is_mean_minus_the_populations_deviation():
    values = torch.tensor([[1.0, 2.0], [3.0, 2.0]], dtype=torch.float64)
    rewards = Rewards([0.5, 0.5], values)
    assert rewards.objective(0.0).tolist() == [2.0, 2.0]
    assert rewards.objective(1.0).tolist() == [1.0, 2.0]


def test_first_logits_have_mean_zero_and_the_papers_identity():
    logits = first_logits(AugmentationSpace(), 8.0)
    assert float(logits.sum()) == pytest.approx(0.0, abs=1e-12)
    assert float(logits.softmax(0)[0]) == pytest.approx(np.exp(8) / (np.exp(8) + 138))


def test_a_layer_that_does_nothing_ends_the_search(model, data):
    stopped, _ = run(model, data, replace(TINY, init_identity=12.0, steps=1, n_layers=4))
    assert stopped.n_layers == 1
    whole, _ = run(model, data, replace(TINY, init_identity=12.0, steps=1, n_layers=4, stop_identity=1.0))
    assert whole.n_layers == 4


def test_sampled_layers_keep_dtype_and_shape(data):
    p = first_logits(SPACE, 0.0).softmax(0)
    seen = through(SPACE, [p, p], data[0], torch_generator(0, "through"))
    assert seen.dtype == torch.uint8
    assert seen.shape == data[0].shape
    assert not torch.equal(seen, data[0])
    assert torch.equal(through(SPACE, [], data[0], torch_generator(0, "through")), data[0])


def test_the_search_prefers_what_brings_gradients_nearer():
    # Search images are inverted validation images: the one transformation that makes them alike is Invert.
    generator = torch.Generator().manual_seed(2)
    y = torch.arange(40) % 2
    shapes = torch.randint(0, 2, (2, 1, 16, 16), generator=generator).float()
    noise = torch.randint(0, 90, (40, 1, 16, 16), generator=generator)
    x = (150 * shapes[y] + noise).to(torch.uint8).expand(-1, 3, -1, -1).contiguous()
    model = DigitNetwork(2, mean=[0.5] * 3, deviation=[0.3] * 3, generator=generator).eval()
    space = AugmentationSpace(16, ops=("Identity", "ShearX", "Invert", "Posterize"))
    config = replace(TINY, n_layers=1, steps=40, units=4, init_identity=0.0)
    policy = DeepAASearch(model, space, config).fit(255 - x[:20], y[:20], x[20:], y[20:])
    assert float(policy.mass_of("Invert")[0]) > 0.5


def test_noise_replaces_v_at_its_length(model, data):
    search = DeepAASearch(model, SPACE, TINY)
    plain, noisy = search.source(*data), DeepAASearch(model, SPACE, replace(TINY, noise=True)).source(*data)
    assert float(noisy.target(0, 1).norm()) == pytest.approx(float(plain.target(0, 1).norm()), rel=1e-5)
    assert abs(float(cosine(noisy.target(0, 1), plain.target(0, 1)))) < 0.2


def test_kept_gradients_are_those_drawn_anew(model, data):
    kept = DeepAASearch(model, SPACE, TINY).source(*data)
    fresh = UnitSource(kept.gradients, *data, classes=[0, 1, 2], n_validation=TINY.n_validation, n_cached=0, seed=0)
    assert torch.equal(kept.target(2, 1), fresh.target(2, 1))
    assert kept.target(2, 1) is kept.target(2, 1)


# ---- bad input -------------------------------------------------------------------------------------------------------


def test_a_class_with_too_few_images_is_named(model, data):
    with pytest.raises(DeepAAInputError, match=r"class 0 has 6 validation images, and n_validation=7.*at most 6"):
        run(model, data, replace(TINY, n_validation=7))
    x, y, xv, yv = data
    with pytest.raises(DeepAAInputError, match="class 1 has 6 validation images but no image to search on"):
        run(model, (x[y != 1], y[y != 1], xv, yv))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x, y: (x, y.float()), "class numbers as integers"),
        (lambda x, y: (x, y + 1), r"y_search\[2\] = 3; class numbers must be in \[0, 3\)"),
        (lambda x, y: (x, y[:-1]), "give one each"),
        (lambda x, y: (x.permute(0, 2, 3, 1), y), "channels"),
        (lambda x, y: (x.float() / 60 - 1, y), "raw images in"),
        (lambda x, y: (x[:, :, :, :8], y), "one size"),
    ],
)
def test_images_and_labels_that_do_not_fit_are_refused(model, data, change, message):
    with pytest.raises(DeepAAInputError, match=message):
        run(model, (*change(*data[:2]), *data[2:]))


def test_overlapping_sets_are_warned_of(model, data):
    with pytest.warns(UserWarning, match="2 of the 18 validation images are among the 18 search images"):
        run(model, (data[0], data[1], torch.cat([data[0][:2], data[2][2:]]), data[3]), replace(TINY, steps=1))


def test_units_without_a_gradient_are_counted_and_too_many_refused(data):
    def zero_for_first_class(logits, labels):
        return logits.sum(1) * (labels != 0) * 0 + torch.nn.functional.cross_entropy(
            logits, labels, reduction="none"
        ) * (labels != 0)

    model = DigitNetwork(3, mean=[0.5] * 3, deviation=[0.25] * 3, generator=torch.Generator().manual_seed(1)).eval()
    search = DeepAASearch(model, SPACE, replace(TINY, units=12, steps=2), loss=zero_for_first_class)
    search.fit(*data)
    assert 0 < search.history_["skipped"].max() <= 6
    with pytest.raises(DeepAAInputError, match="zero gradient"):
        DeepAASearch(model, SPACE, TINY, loss=lambda logits, labels: 0 * logits.sum(1) * labels).fit(*data)


def test_options_that_do_not_exist_or_make_no_sense_are_refused(model, data):
    with pytest.raises(DeepAAInputError, match="speed=3 is no option; known: n_layers"):
        search_policy(model, *data, speed=3)
    with pytest.raises(DeepAAInputError, match="steps=0 must be a whole number above 0"):
        SearchConfig(steps=0)
    with pytest.raises(DeepAAInputError, match=r"steps=2\.5 must be a whole number"):
        SearchConfig(steps=2.5)
    with pytest.raises(DeepAAInputError, match="lr=0 must be above 0"):
        SearchConfig(lr=0)
    with pytest.raises(DeepAAInputError, match="may not be negative"):
        SearchConfig(std_weight=-1.0)
    for name in ("std_weight", "init_identity", "lr"):
        with pytest.raises(DeepAAInputError, match=f"{name}=nan"):
            SearchConfig(**{name: float("nan")})
    with pytest.raises(DeepAAInputError, match=r"n_cached=2\.5 must be a whole number, 0 or more"):
        SearchConfig(n_cached=2.5)
    with pytest.raises(DeepAAInputError, match=r"units=1 leaves no spread.*2 or more"):
        SearchConfig(units=1)
    with pytest.raises(DeepAAInputError, match="params='first' is unknown"):
        SearchConfig(params="first")
    with pytest.raises(DeepAAInputError, match="method='finite' is unknown"):
        SearchConfig(method="finite", params="last")
    for threshold in (0, 2, float("nan")):
        with pytest.raises(DeepAAInputError, match=f"stop_identity={threshold} is a probability"):
            SearchConfig(stop_identity=threshold)


def test_states_are_written_at_least_now_and_then(model):
    with pytest.raises(DeepAAInputError, match="checkpoint_every=0 must be a whole number above 0"):
        DeepAASearch(model, SPACE, TINY, checkpoint_every=0)


@pytest.mark.parametrize("params", ["all", "last"])
def test_a_network_that_changed_since_is_searched_as_it_is_now(model, data, params):
    config, changed = replace(TINY, params=params), copy.deepcopy(model)
    search = DeepAASearch(changed, SPACE, config)
    before = search.fit(*data).probabilities
    with torch.no_grad():
        changed.third.weight.mul_(-1)
    after, expected = search.fit(*data).probabilities, DeepAASearch(changed, SPACE, config).fit(*data).probabilities
    assert torch.equal(after, expected)
    assert not torch.equal(after, before)
    changed.train()
    with pytest.raises(DeepAAInputError, match="training mode"):
        search.fit(*data)


def test_history_before_a_search_is_refused(model):
    with pytest.raises(DeepAAInputError, match=r"call \.fit"):
        _ = DeepAASearch(model, SPACE, TINY).history_


def test_one_call_searches(model, data):
    policy = search_policy(model, *data, space=SPACE, n_layers=1, steps=2, units=2, n_validation=4, n_grad=3)
    assert policy(data[0]).shape == data[0].shape


def test_a_search_too_short_to_leave_its_start_is_warned_of(model, data):
    with pytest.warns(UserWarning, match="Give at least 10 steps"):
        run(model, data, replace(TINY, steps=1, n_layers=1))


def test_models_that_do_not_take_such_images_are_refused(model, data):
    with pytest.raises(DeepAAInputError, match=r"torch\.nn\.Module"):
        DeepAASearch(lambda images: images)
    with pytest.raises(DeepAAInputError, match="normalise inside"):
        run(torch.nn.Conv2d(1, 3, 1).eval(), data)
    with pytest.raises(DeepAAInputError, match="it has to give logits"):
        run(torch.nn.Conv2d(3, 3, 1).eval(), data)
    with pytest.raises(DeepAAInputError, match="the number of x_search=0"):
        run(model, (data[0][:0], data[1][:0], *data[2:]))


class Shifted(torch.nn.Module):
    """A network that normalises with a plain number, which its weights don't show."""

    def __init__(self, inner, shift):
        super().__init__()
        self.inner, self.shift = inner, shift

    def forward(self, images):
        return self.inner((images - self.shift).clamp(min=0))


def smoothed(share):
    return lambda logits, labels: torch.nn.functional.cross_entropy(
        logits, labels, reduction="none", label_smoothing=share
    )


@pytest.mark.parametrize("what", ["constants", "frozen layer", "nameless loss", "loss of one class"])
def test_a_checkpoint_of_another_network_or_loss_with_equal_names_and_weights_is_refused(model, data, tmp_path, what):
    path, config = tmp_path / "search.pt", replace(TINY, n_layers=1, steps=2)
    loss = {"nameless loss": smoothed(0.0), "loss of one class": torch.nn.CrossEntropyLoss(reduction="none")}
    first = {"loss": loss[what]} if what in loss else {}
    DeepAASearch(Shifted(model, 0.0).eval(), SPACE, config, checkpoint=path, **first).fit(*data)
    network, other = Shifted(copy.deepcopy(model), 0.3 if what == "constants" else 0.0).eval(), dict(first)
    if what == "frozen layer":
        network.inner.first.requires_grad_(False)
    elif what == "nameless loss":
        other["loss"] = smoothed(0.5)
    elif what == "loss of one class":
        other["loss"] = torch.nn.CrossEntropyLoss(reduction="none", label_smoothing=0.5)
    with pytest.raises(DeepAAInputError, match="belongs to a search with other options"):
        DeepAASearch(network, SPACE, config, checkpoint=path, **other).fit(*data)


class Restless(torch.nn.Module):
    def __init__(self, kind):
        super().__init__()
        self.kind, self.head = kind, torch.nn.Linear(3, 3)
        self.norm = torch.nn.BatchNorm2d(3, track_running_stats=False)

    def forward(self, images):
        if self.kind == "dropout":
            images = torch.nn.functional.dropout(images, training=True)
        elif self.kind == "batch":
            images = self.norm(images)
        logits = self.head(images.square().mean((2, 3)))
        if self.kind == "one class":
            return logits[:, :1]
        if self.kind == "lookup":
            raise KeyError("no such thing")
        return logits / 0 if self.kind == "not finite" else logits


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("dropout", "draws random numbers in evaluation mode"),
        ("batch", "the images of a batch change one another's logits"),
        ("one class", "two classes or more"),
        ("not finite", "not finite"),
        ("lookup", "the model fails on images"),
    ],
)
def test_networks_that_no_search_can_use_are_refused(data, kind, message):
    torch.manual_seed(0)
    with pytest.raises(DeepAAInputError, match=message):
        run(Restless(kind).eval(), data)


def test_gradients_that_are_not_finite_are_not_taken_for_a_perfect_fit(model, data):
    def overflowing(logits, labels):
        return torch.nn.functional.cross_entropy(logits, labels, reduction="none") * float("inf")

    with pytest.raises(DeepAAInputError, match="a gradient is not finite"):
        run(model, data, loss=overflowing)


def test_one_unit_left_is_too_few_to_penalise_their_spread():
    with pytest.raises(DeepAAInputError, match=r"1 of 2 units have a zero gradient.*too few are left"):
        stacked([torch.ones(3)], 2)
    assert stacked([torch.ones(3)] * 2, 4).shape == (2, 3)


def test_a_loss_that_averages_is_refused(model, data):
    for params in ("all", "last"):
        with pytest.raises(DeepAAInputError, match=r"loss gives \(\) for .* images; .*reduction='none'"):
            run(model, data, replace(TINY, params=params), loss=torch.nn.CrossEntropyLoss())


def test_a_search_needs_no_gradients_switched_on(model, data):
    expected = run(model, data)[0].probabilities
    with torch.no_grad():
        assert torch.equal(run(model, data)[0].probabilities, expected)


def test_arguments_of_another_kind_are_refused(model, data, tmp_path):
    for call, message in (
        (lambda: DeepAASearch(model, TINY), "must be an AugmentationSpace"),
        (lambda: DeepAASearch(model, SPACE, {"steps": 3}), "config is a dict; give a SearchConfig"),
        (lambda: DeepAASearch(model, SPACE, checkpoint=tmp_path), "must be the path of a file"),
        (lambda: DeepAASearch(model, SPACE, checkpoint=True), "must be the path of a file"),
        (lambda: SearchConfig(lr="0.1"), "lr='0.1' must be a finite number"),
        (lambda: SearchConfig(std_weight=None), "std_weight=None must be a finite number"),
        (lambda: SearchConfig(stop_identity=True), "stop_identity=True is a probability"),
        (lambda: SearchConfig(noise="yes"), "noise='yes' must be True or False"),
        (lambda: run(model, (data[0], ["cat"] * 18, *data[2:])), "y_search must be class numbers"),
    ):
        with pytest.raises(DeepAAInputError, match=message):
            call()


def test_images_of_0_and_1_in_bytes_are_warned_of(model, data):
    dark = tuple(x // 128 if x.ndim > 1 else x for x in data)
    with pytest.warns(UserWarning, match="nearly black"):
        run(model, dark, replace(TINY, n_layers=1, steps=1))
