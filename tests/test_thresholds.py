"""What a client's figures are held against: limits in order, and benchmarks that say where they are from."""

import pytest
from pydantic import ValidationError

from retention_kit.thresholds import Benchmark, Thresholds

PEERS = {"name": "Peers", "value": 42, "source": "Their annual report", "year": 2024}


def test_a_benchmark_says_whose_it_is_how_much_by_whom_and_of_when() -> None:
    assert Benchmark(**PEERS).model_dump() == PEERS


@pytest.mark.parametrize("name", PEERS)
def test_each_of_them_is_needed(name: str) -> None:
    with pytest.raises(ValidationError, match=f"{name}\n  Field required"):
        Benchmark(**{key: value for key, value in PEERS.items() if key != name})


@pytest.mark.parametrize(
    ("name", "value"), [("value", 100.5), ("value", -101), ("year", 2002), ("source", " "), ("name", "")]
)
def test_what_no_benchmark_can_be(name: str, value: object) -> None:
    with pytest.raises(ValidationError):
        Benchmark(**PEERS | {name: value})


def test_limits_are_in_order() -> None:
    with pytest.raises(ValidationError, match=r"churn_healthy 0\.2 is above churn_urgent 0\.1; swap them"):
        Thresholds(churn_healthy=0.2)
