"""Figures that need no study: the shoppers, one of them in time, and the dual at work."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from reprise.method_styles import style_of
from reprise.numerals import number
from reprise.plots import Drawing, new_figure, state_finding
from reprise.rim.activity import hawkes_weights, poisson_weights, recency
from reprise.rim.data import EMBEDDED, load_split
from reprise.rim.data_sentences import span_in_words
from reprise.rim.events import Requests, requests_at
from reprise.rim.figures import panels, title_of
from reprise.rim.generators import HORIZON, TEST_TIME, make_shoppers
from reprise.rim.kernel_features import features


def draw_users(data_set: str, seed: int = 0) -> Drawing:
    """Draw how many events follow, by how many there were and by how long ago the last one was."""
    split = load_split(data_set, seed)
    requests = split.test
    since = (requests.end - requests.time[requests.indptr[1:] - 1]) / split.horizon
    unit = "horizons" if data_set == EMBEDDED else f"× {span_in_words(np.array([split.horizon]))}"
    figure, axes = panels(2, height=2.6, sharey=True)
    drawn: list[dict[str, Any]] = []
    for one, values, label in (
        (axes[0], requests.n_past.astype(float), "past events"),
        (axes[1], np.maximum(since, 1e-4), f"time since the last event ({unit})"),
    ):
        order = np.argsort(values, kind="stable")
        groups = np.array_split(order, 10)
        x = [float(np.median(values[g])) for g in groups]
        y = [float(requests.n_future[g].mean()) for g in groups]
        error = [1.96 * float(requests.n_future[g].std() / np.sqrt(len(g))) for g in groups]
        one.errorbar(x, y, error, marker="o", color=style_of("GRU × HP").colour, linestyle="-", capsize=2)
        one.set(xscale="log", xlabel=label)
        drawn += [{"by": label, "at": a, "mean events": b} for a, b in zip(x, y, strict=True)]
    axes[0].set(ylabel="events within the horizon", ylim=(0, None))
    share = 100 * float((requests.n_future > 0).mean())
    state_finding(figure, f"{title_of(data_set)}: {number(share, 0)} % of {len(requests)} users act within the horizon")
    return Drawing(
        figure,
        "users",
        "Mean number of events within the horizon by decile of past events and of time since the last; "
        f"{number(share, 0)} % of the users have any.",
        f"Test requests of seed {seed} in ten groups of equal size; whiskers: 95 % intervals of the mean over users.",
        pd.DataFrame(drawn),
    )


def _states_along(requests: Requests, times: np.ndarray) -> Requests:
    """Return one request for each time, all of the same user."""
    kept = [requests.time[requests.time < t] for t in times]
    lengths = np.array([len(k) for k in kept])
    return Requests(
        np.zeros(len(times), dtype=np.int64), times, requests.horizon, np.concatenate([[0], np.cumsum(lengths)]),
        np.zeros(lengths.sum(), dtype=np.int64), np.concatenate(kept), requests.targets,
    )  # fmt: skip


def draw_timeline(seed: int = 0) -> Drawing:
    """Draw one shopper's events and what each model takes the intensity to be at every moment."""
    split = load_split(EMBEDDED, seed)
    events, shoppers = make_shoppers(seed)
    place = _busy_place(split.test)
    user = int(split.test.user[place])
    mine = events.time[events.user == user]
    times = np.linspace(float(mine[0]) + 0.01, 3.0, 400)
    whole = requests_at(events, np.array([user]), np.full(len(events.users), np.inf), HORIZON)
    along = _states_along(whole, times)
    phi = features(along)
    lines = {
        "Hawkes": phi @ hawkes_weights(split) / HORIZON,
        "HP": phi @ poisson_weights(split) / HORIZON,
        "EMA": recency(along) / HORIZON,
        "true intensity": np.array([shoppers.intensity(user, mine, t) for t in times]),
    }
    figure, axes = new_figure(height=2.8)
    for name, values in lines.items():
        look = style_of(f"GRU × {name}")
        axes.plot(times, values, color=look.colour, linestyle=look.dash, label=name)
    axes.plot(mine, np.full(len(mine), -1.5), "|", color="black")
    axes.axvspan(TEST_TIME, TEST_TIME + HORIZON, color="#DDDDDD", zorder=0)
    axes.set(xlabel="time", ylabel="events per unit of time")
    axes.set_ylim(top=1.18 * axes.get_ylim()[1])
    axes.legend(ncols=4, fontsize=7, loc="upper center")
    churn = float(shoppers.churn[user])
    state_finding(
        figure, f"A shopper who leaves at {number(churn, 2)}: the true intensity falls first, a moving average last"
    )
    data = pd.DataFrame({"time": times, **lines})
    return Drawing(
        figure,
        "timeline",
        f"Intensity of one shopper by three models and in truth; the shopper leaves at {number(churn, 2)}, after "
        f"{int((mine < churn).sum())} of {len(mine)} events.",
        "Bars at the bottom: events. Grey: the horizon of the test. HP is the mean count within the next horizon "
        "over its length, so it is smoother than the intensity at the moment.",
        data,
    )


def _busy_place(requests: Requests) -> int:
    """Return the request with the most events among those that stopped a horizon ago."""
    since = requests.end - requests.time[requests.indptr[1:] - 1]
    stopped = np.flatnonzero(since > HORIZON)
    return int(stopped[np.argmax(requests.n_past[stopped])])
