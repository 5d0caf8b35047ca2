"""Sentence pairs from templates, with gold scores: synonyms, changed slots, negation, and swapped roles."""

from __future__ import annotations

from typing import Any

import numpy as np

from reprise.compute import numpy_generator

# Each concept is a set of surface forms; a sentence takes one of them at random.
PEOPLE = (
    ("man", "guy", "gentleman"), ("woman", "lady"), ("boy", "young boy"), ("girl", "young girl"), ("child", "kid"),
    ("dog", "hound"), ("cat", "kitty"), ("teacher", "instructor"), ("doctor", "physician"), ("soldier", "trooper"),
    ("singer", "vocalist"), ("farmer", "grower"),
)  # fmt: skip
ACTIONS = (
    ("buying", "purchasing"), ("carrying", "hauling"), ("cleaning", "washing"), ("repairing", "fixing"),
    ("drawing", "sketching"), ("pushing", "shoving"), ("hiding", "concealing"), ("selling", "vending"),
    ("watching", "looking at"), ("painting", "colouring"),
)  # fmt: skip
OBJECTS = (
    ("sofa", "couch"), ("bicycle", "bike"), ("car", "automobile"), ("picture", "image"), ("box", "carton"),
    ("stone", "rock"), ("lamp", "light"), ("cup", "mug"), ("jacket", "coat"), ("bag", "sack"), ("boat", "ship"),
    ("table", "desk"),
)  # fmt: skip
PLACES = (
    ("in the woods", "in the forest"), ("on the street", "on the road"), ("at home", "in the house"),
    ("at the beach", "on the shore"), ("in the shop", "in the store"), ("near the river", "by the stream"),
    ("in the city", "in town"), ("on the hill", "on the slope"),
)  # fmt: skip
# Verbs whose two sides can both be people or animals: only there does swapping the roles make a sentence.
MUTUAL_ACTIONS = (("chasing", "running after"), ("calling", "shouting at"), ("following", "walking behind"))
SLOTS = (PEOPLE, ACTIONS, OBJECTS, PLACES)
WEIGHTS = np.array([1.0, 1.2, 1.0, 0.6])
SHARE_NEGATED, SHARE_SWAPPED = 0.12, 0.05
TOP, COST_OF_NEGATION, GOLD_OF_SWAP = 5.0, 1.5, 2.5
PLAIN, NEGATED, SWAPPED = "plain", "negated", "roles swapped"


def templated_pairs(n: int, seed: int, name: str = "pairs") -> tuple[list[tuple[str, str]], np.ndarray, list[str]]:
    """Draw pairs of sentences that say who is doing what to which thing, and where.

    Parameters
    ----------
    n
        Number of pairs.
    seed, name
        Of the random stream.

    Returns
    -------
    tuple
        The pairs; their gold scores in [0, 5]: five times the weighted share of slots with equal concepts, less 1.5
        for a negation, at least 0, and 2.5 for swapped roles; and their kinds (plain, negated, roles swapped).
    """
    generator = numpy_generator(seed, "trans-encoder", "templated", name)
    drawn = [_pair(generator) for _ in range(n)]
    return [pair for pair, _, _ in drawn], np.array([gold for _, gold, _ in drawn]), [kind for _, _, kind in drawn]


def _pair(generator: np.random.Generator) -> tuple[tuple[str, str], float, str]:
    if generator.random() < SHARE_SWAPPED:
        return _swapped(generator), GOLD_OF_SWAP, SWAPPED
    first = [int(generator.integers(len(slot))) for slot in SLOTS]
    changed = generator.permutation(len(SLOTS))[: generator.integers(len(SLOTS) + 1)]
    second = list(first)
    for slot in changed:
        second[slot] = (first[slot] + int(generator.integers(1, len(SLOTS[slot])))) % len(SLOTS[slot])
    negated = generator.random() < SHARE_NEGATED
    same = np.array(first) == np.array(second)
    gold = TOP * float(WEIGHTS @ same) / float(WEIGHTS.sum()) - COST_OF_NEGATION * negated
    pair = (_sentence(first, generator), _sentence(second, generator, negated=negated))
    return pair, max(0.0, gold), NEGATED if negated else PLAIN


def _sentence(concepts: list[int], generator: np.random.Generator, *, negated: bool = False) -> str:
    subject, action, thing, place = (
        _form(slot[concept], generator) for slot, concept in zip(SLOTS, concepts, strict=True)
    )
    verb = f"is not {action}" if negated else f"is {action}"
    return f"{_with_article(subject).capitalize()} {verb} {_with_article(thing)} {place}."


def _swapped(generator: np.random.Generator) -> tuple[str, str]:
    left, right = generator.choice(len(PEOPLE), size=2, replace=False)
    action, place = int(generator.integers(len(MUTUAL_ACTIONS))), int(generator.integers(len(PLACES)))

    def sentence(who: Any, whom: Any) -> str:
        one, other = _form(PEOPLE[who], generator), _form(PEOPLE[whom], generator)
        verb, where = _form(MUTUAL_ACTIONS[action], generator), _form(PLACES[place], generator)
        return f"{_with_article(one).capitalize()} is {verb} {_with_article(other)} {where}."

    return sentence(left, right), sentence(right, left)


def _form(forms: tuple[str, ...], generator: np.random.Generator) -> str:
    return forms[int(generator.integers(len(forms)))]


def _with_article(noun: str) -> str:
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"
