"""Contracts: what each kind of table must hold says so of itself without contradiction."""

import pytest

from retention_kit.contracts import BY_KIND, Contract
from retention_kit.params import KINDS


def test_there_is_a_contract_for_each_table_of_a_client_file() -> None:
    assert tuple(BY_KIND) == KINDS


@pytest.mark.parametrize("contract", BY_KIND.values(), ids=list(BY_KIND))
def test_a_contract_knows_its_own_columns(contract: Contract) -> None:
    known = {*contract.required, *contract.optional, *contract.numbers}
    assert {*contract.dates, *filter(None, (contract.moment, contract.value))} <= known
    assert not set(contract.required) & set(contract.optional)
