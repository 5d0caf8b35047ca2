from reprise.grda.generators import make_dg
from reprise.grda.operations import operations_of_a_step
from reprise.grda.settings import Settings

DOMAINS = make_dg(15, seed=0)
WORK = operations_of_a_step(DOMAINS, Settings())


def of(words, work=WORK):
    (found,) = (operations for what, operations in work.items() if words in what)
    return found


def test_a_step_takes_at_most_six_operations_for_each_parameter_and_row():
    # Less, since the domains' branch and D see fewer rows than there are.
    largest = 6 * 5.78e6 * 15 * Settings().batch_per_domain
    assert 0.6 * largest < of("GRDA on dg-15-generated, 512 units, 5.78 million parameters") < largest


def test_every_method_is_counted_and_grda_at_the_papers_width_too():
    assert len(WORK) == len(Settings().methods) + 1
    assert of("Source-only") < of("GRDA on dg-15-generated, 64 units") < of("DANN")


def test_the_operations_grow_with_the_rows():
    doubled = operations_of_a_step(DOMAINS, Settings(batch_per_domain=20, methods=("DANN",)))
    assert 1.8 < of("DANN", doubled) / of("DANN") <= 2
