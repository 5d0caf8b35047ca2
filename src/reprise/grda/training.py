"""One training loop for all methods, many seeds at once.

One forward pass and one backward pass a step serve E, F and D (see `reprise.grda.objectives`), and one Adam kernel
updates all parameters of all seeds, which lie in one flat buffer.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from reprise.compute import torch_generator
from reprise.grda.batches import (
    Pairing,
    Problem,
    Schedule,
    Tables,
    draw_batches,
    draw_subsets,
    shape_of,
    tables_of,
    weigh_subsets,
)
from reprise.grda.discriminator import PairWeights, SelfPairs
from reprise.grda.networks import Encoder, Initialisation, Predictor, initialise
from reprise.grda.objectives import Batch, LossOptions, MethodName, Networks, Objective, Shape, Task, find_objective

STEPS_DRAWN_AT_ONCE = 250
ROWS_PREDICTED_AT_ONCE = 20_000


@dataclass(frozen=True)
class TrainingOptions:
    """How to train; the defaults are the reduced setting of the chapter (H = 64).

    Attributes
    ----------
    method
        ``"grda"`` or a baseline.
    hidden_width
        H; the paper's 512.
    discriminator_width
        Width of ẑ, GRDA only; the paper's 2.
    adversarial_weight
        λ_d; the paper's 1 on DG-15 and 0.5 on DG-60.
    learning_rate
        Adam's, at the start; the paper's 1e-4 (DG-15) and 1e-5 (DG-60) at H = 512.
    half_life_steps
        Steps after which the learning rate has halved; the paper's 1000.
    n_steps
        Number of steps; the paper's 5000.
    batch_per_domain
        B, rows of each domain in a step; the paper's 10.
    n_sampled_domains
        Domains that GRDA compares in a step; the paper's 10 of 15 and 30 of 60. None: two thirds.
    pairing
        ``"independent"``: each domain draws its own rows (the formula); ``"row"``: all use the same row numbers (the
        released loader); ``"crossed"``: independent, and all B² pairs of rows are compared.
    self_pairs, balance
        As in `reprise.grda.discriminator.pair_weights`.
    initialisation
        ``"default"`` (PyTorch's) or ``"paper"`` (N(0, 0.01²)).
    """

    method: MethodName = "grda"
    hidden_width: int = 64
    discriminator_width: int = 2
    adversarial_weight: float = 0.5
    learning_rate: float = 1e-3
    half_life_steps: float = 1000
    n_steps: int = 1000
    batch_per_domain: int = 10
    n_sampled_domains: int | None = None
    pairing: Pairing = "independent"
    self_pairs: SelfPairs = "exclude"
    balance: bool = True
    initialisation: Initialisation = "default"

    @property
    def losses(self) -> dict[str, object]:
        """The options that the losses need, besides the task."""
        rows = "crossed" if self.pairing == "crossed" else "matched"
        return {"adversarial_weight": self.adversarial_weight, "rows": rows}

    def n_compared(self, n_domains: int) -> int:
        """Return the number of domains that GRDA compares in a step."""
        return self.n_sampled_domains or max(2, -(-2 * n_domains // 3))


class FlatAdam:
    """Adam (β = 0.9, 0.999) over all parameters as one flat buffer, with a learning rate that halves regularly.

    The parameters and their gradients become views of two buffers, so that a step is one kernel. Buffers are padded
    to whole vector registers: no element is computed by the remainder loop, whose last bit may differ.
    """

    def __init__(self, parameters: Sequence[nn.Parameter], learning_rate: float, half_life_steps: float):
        sizes = [-(-parameter.numel() // 64) * 64 for parameter in parameters]
        self._values = nn.Parameter(parameters[0].new_zeros(sum(sizes)))
        self._values.grad = torch.zeros_like(self._values)
        self._learning_rate, self._half_life_steps, self._n_steps = learning_rate, half_life_steps, 0
        starts = np.cumsum([0, *sizes[:-1]])
        for parameter, start in zip(parameters, starts, strict=True):
            place = slice(int(start), int(start) + parameter.numel())
            self._values.data[place] = parameter.data.flatten()
            parameter.data = self._values.data[place].view(parameter.shape)
            parameter.grad = self._values.grad[place].view(parameter.shape)
        self._adam = torch.optim.Adam([self._values], lr=learning_rate, fused=True)

    def step(self, loss: Tensor) -> None:
        """Differentiate the loss and update all parameters."""
        assert self._values.grad is not None
        self._values.grad.zero_()
        loss.backward()
        decay = 0.5 ** (self._n_steps / self._half_life_steps)
        self._adam.param_groups[0]["lr"] = self._learning_rate * decay
        self._adam.step()
        self._n_steps += 1


def make_networks(problems: Sequence[Problem], options: TrainingOptions, device: torch.device) -> Networks:
    """Make and initialise E, F and D; E and F of a seed start alike in every method."""
    shape, width = shape_of(problems), options.hidden_width
    networks = Networks(
        Encoder(shape.n_seeds, shape.n_features, shape.embedding_width, width),
        Predictor(shape.n_seeds, width, shape.n_outputs),
        find_objective(options.method).discriminator(shape, width, problems[0].task, options.discriminator_width),
    )
    for name, module in networks.modules().items():
        generators = [torch_generator(p.seed, *p.stream, "initialisation", name) for p in problems]
        initialise(module, generators, options.initialisation)
        module.to(device)
    return networks


@dataclass(frozen=True, eq=False)
class Trained:
    """Trained networks for S seeds, and what happened on the way.

    Attributes
    ----------
    networks
        E, F, D.
    problems
        What they were trained on, in the order of the seeds.
    options
        How they were trained.
    prediction_loss, adversarial_loss
        L_f and L_d at each step, (n_steps, S).
    uninformative_loss
        L_d of a discriminator that knows nothing (GRDA: N log 2).
    """

    networks: Networks
    problems: tuple[Problem, ...]
    options: TrainingOptions
    prediction_loss: np.ndarray
    adversarial_loss: np.ndarray
    uninformative_loss: float

    @property
    def discriminator_loss_ratio(self) -> np.ndarray:
        """L_d over its uninformative value at each step, (n_steps, S); near 1 proves nothing, see the probe."""
        return self.adversarial_loss / self.uninformative_loss

    @torch.no_grad()
    def encode(self, features: np.ndarray, domain: np.ndarray) -> np.ndarray:
        """Encode raw rows ``(n, d)``, or ``(S, n, d)`` of their own for each seed: ``(S, n, H)`` float32."""
        parts = [codes.cpu().numpy() for codes in self._codes(features, domain)]
        return np.concatenate(parts, axis=1)

    @torch.no_grad()
    def predict(self, features: np.ndarray, domain: np.ndarray) -> np.ndarray:
        """Predict raw rows: class probabilities ``(S, n, C)``, or outputs ``(S, n, h)``, float32."""
        outputs = [self.networks.predictor(codes) for codes in self._codes(features, domain)]
        if self.problems[0].task == "classification":
            outputs = [torch.softmax(output, -1) for output in outputs]
        return torch.cat(outputs, 1).cpu().numpy()

    def _codes(self, features: np.ndarray, domain: np.ndarray) -> Iterator[Tensor]:
        n_rows = features.shape[-2]
        for start in range(0, n_rows, ROWS_PREDICTED_AT_ONCE):
            part = slice(start, start + ROWS_PREDICTED_AT_ONCE)
            yield self._encode_rows(features[..., part, :], domain[..., part])

    def _encode_rows(self, features: np.ndarray, domain: np.ndarray) -> Tensor:
        # Every row is a "domain" of one row here, with its domain's z.
        device = next(self.networks.encoder.parameters()).device
        inputs, embeddings = [], []
        for s, problem in enumerate(self.problems):
            own_features = features[s] if features.ndim == 3 else features
            own_domain = domain[s] if domain.ndim == 2 else domain
            mean, deviation = problem.standardisation
            inputs.append(((own_features - mean) / deviation).astype(np.float32))
            embeddings.append(problem.embedding[own_domain].astype(np.float32))
        stacked = torch.from_numpy(np.stack(inputs)).to(device).unsqueeze(2)
        return self.networks.encoder(stacked, torch.from_numpy(np.stack(embeddings)).to(device)).squeeze(2)


def train(problems: Sequence[Problem], options: TrainingOptions, device: torch.device | str = "cpu") -> Trained:
    """Train one method on problems of one size, together.

    Parameters
    ----------
    problems
        One per seed. On the CPU the result of each is bit for bit what it is when trained alone.
    options
        Method and its settings.
    device
        Where to train.

    Returns
    -------
    Trained
        The networks after the last step: there is no early stopping, which would need target labels.
    """
    device = torch.device(device)
    objective, task = find_objective(options.method), problems[0].task
    networks = make_networks(problems, options, device)
    tables = tables_of(problems, device)
    parameters = [p for module in networks.modules().values() for p in module.parameters()]
    optimiser = FlatAdam(parameters, options.learning_rate, options.half_life_steps)
    loss_options = LossOptions(task, **options.losses)  # type: ignore[arg-type]
    history = torch.zeros(2, options.n_steps, len(problems), device=device)
    for step, batch in enumerate(_batches(problems, options, objective, tables)):
        losses = objective.losses(networks, batch, loss_options)
        optimiser.step(losses.total.sum())
        history[0, step], history[1, step] = losses.prediction.detach(), losses.adversarial.detach()
    prediction, adversarial = history.cpu().numpy().astype(np.float64)
    uninformative = objective.uninformative(shape_of(problems), task)
    return Trained(networks, tuple(problems), options, prediction, adversarial, uninformative)


def make_schedule(problems: Sequence[Problem], options: TrainingOptions, tables: Tables) -> Schedule:
    """Draw what all steps use."""
    rows = draw_batches(
        problems,
        tables.n_rows,
        options.batch_per_domain,
        options.n_steps,
        paired=options.pairing == "row" and options.method == "grda",
    )
    if options.method != "grda":
        return Schedule(rows)
    n_compared = options.n_compared(tables.features.shape[1])
    return Schedule(rows, draw_subsets(problems, n_compared, options.n_steps))


def _batches(
    problems: Sequence[Problem], options: TrainingOptions, objective: Objective, tables: Tables
) -> Iterator[Batch]:
    schedule = make_schedule(problems, options, tables)
    n_used = tables.features.shape[1] if objective.uses_targets else tables.targets.shape[1]
    for start in range(0, options.n_steps, STEPS_DRAWN_AT_ONCE):
        steps = slice(start, start + STEPS_DRAWN_AT_ONCE)
        yield from _gathered(tables, schedule.rows[steps, :, :n_used], _subsets(schedule, steps, options, tables))


def _subsets(
    schedule: Schedule, steps: slice, options: TrainingOptions, tables: Tables
) -> tuple[Tensor, PairWeights] | None:
    if schedule.subsets is None:
        return None
    subsets, device = schedule.subsets[steps], tables.features.device
    pairs = weigh_subsets(subsets, tables.adjacency, balance=options.balance, self_pairs=options.self_pairs)
    return subsets.to(device), pairs.to(device)


def _gathered(tables: Tables, rows: Tensor, compared: tuple[Tensor, PairWeights] | None) -> Iterator[Batch]:
    device, n_sources = tables.features.device, tables.targets.shape[1]
    rows = rows.to(device)
    seeds = torch.arange(rows.shape[1], device=device).view(-1, 1, 1)
    domains = torch.arange(rows.shape[2], device=device).view(1, -1, 1)
    embedding = tables.embedding[:, : rows.shape[2]]
    for step in range(len(rows)):
        features = tables.features[seeds, domains, rows[step]]
        targets = tables.targets[seeds, domains[:, :n_sources], rows[step, :, :n_sources]]
        if compared is None:
            yield Batch(features, targets, embedding)
        else:
            subsets, pairs = compared
            yield Batch(features, targets, embedding, subsets[step], pairs.at(step))


__all__ = ["FlatAdam", "Shape", "Task", "Trained", "TrainingOptions", "make_networks", "make_schedule", "train"]
