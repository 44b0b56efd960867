from hypothesis import given, strategies as st

from lambda_matrix.conversation.limits import (
    Bucket,
    Limits,
    QueueFull,
    Take,
    TooFast,
    admit,
    is_full,
    may_begin,
)

LIMITS = Limits(burst=3, interval=10.0, waiting=2, runs=2)


def test_a_burst_and_then_one_at_a_time() -> None:
    bucket: Bucket | None = None
    for _ in range(3):
        verdict = admit(bucket, 0, 100.0, LIMITS)
        assert isinstance(verdict, Take)
        bucket = verdict.bucket
    assert admit(bucket, 0, 100.0, LIMITS) == TooFast(10.0)
    assert admit(bucket, 0, 105.0, LIMITS) == TooFast(5.0)
    assert admit(bucket, 0, 110.0, LIMITS) == Take(Bucket(0.0, 110.0))


def test_a_full_line_takes_nothing_and_costs_nothing() -> None:
    assert admit(None, 1, 0.0, LIMITS) == Take(Bucket(2, 0.0))
    assert admit(None, 2, 0.0, LIMITS) == QueueFull(2)


def test_a_bucket_fills_up_and_no_further() -> None:
    bucket = Bucket(0.0, 0.0)
    assert not is_full(bucket, 29.9, LIMITS)
    assert is_full(bucket, 30.0, LIMITS)
    assert admit(bucket, 0, 1e9, LIMITS) == Take(Bucket(2, 1e9))


def test_a_clock_that_goes_back_takes_nothing_away() -> None:
    assert admit(Bucket(1.0, 1000.0), 0, 0.0, LIMITS) == Take(Bucket(0.0, 0.0))


def test_so_many_runs_at_once() -> None:
    assert [may_begin(running, LIMITS) for running in range(4)] == [True, True, False, False]


@given(st.lists(st.floats(0, 100), max_size=50))
def test_never_more_than_the_limit(pauses: list[float]) -> None:
    bucket: Bucket | None = None
    now, taken = 0.0, 0
    for pause in pauses:
        now += pause
        verdict = admit(bucket, 0, now, LIMITS)
        if isinstance(verdict, Take):
            bucket, taken = verdict.bucket, taken + 1
        else:
            assert isinstance(verdict, TooFast)
            after = admit(bucket, 0, now + verdict.wait + 1e-6, LIMITS)
            assert isinstance(after, Take)
    assert taken <= 3 + now / 10.0 + 1e-6
