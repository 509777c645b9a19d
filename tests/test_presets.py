"""Presets: exports as tools write them, small files made by hand with the columns that are known of them."""

import io
from pathlib import Path

import pandas as pd
import pytest

from retention_kit import presets, tables
from retention_kit.exceptions import DataError

# Of each tool: the kind, a file, how it is read besides, the rows by rule, and what is kept.
EXPORTS = {
    # An order of two lines, the second without a total, refunded in part; voided; paid and then cancelled.
    "shopify_orders": (
        "Name,Email,Financial Status,Paid at,Fulfillment Status,Currency,Subtotal,Shipping,Taxes,Total,"
        "Created at,Lineitem quantity,Lineitem name,Lineitem price,Billing Country,Cancelled at,"
        "Refunded Amount,Id\n"
        "#1001,a@x.eu,partially_refunded,2024-06-01 10:00:00 +0200,fulfilled,EUR,30.00,4.90,5.57,34.90,"
        "2024-06-01 00:30:00 +0200,1,Mug,10.00,DE,,10.00,501\n"
        "#1001,a@x.eu,,,,,,,,,2024-06-01 00:30:00 +0200,2,Cup,10.00,,,,\n"
        "#1002,b@x.eu,voided,,,EUR,15.00,4.90,3.17,19.90,2024-06-02 12:00:00 +0200,1,Cup,15.00,DE,,0.00,502\n"
        "#1003,b@x.eu,paid,,,EUR,15.00,4.90,3.17,19.90,2024-06-03 12:00:00 +0200,1,Cup,15.00,DE,"
        "2024-06-04 09:00:00 +0200,0.00,503\n"
        "#1004,b@x.eu,refunded,,,EUR,15.00,4.90,3.17,19.90,2024-06-03 12:00:00 +0200,1,Cup,15.00,DE,,"
        "19.90,504\n",
        {"timezone": "Europe/Berlin"},
        {"read": 5, "no amount": 1, "filtered": 3, "kept": 1},
        ("a@x.eu", "2024-06-01 00:30:00", 24.9),
    ),
    "woocommerce_orders": (
        "order_id,order_number,order_date,paid_date,status,order_total,refunded_total,order_currency,customer_id,"
        "customer_email,billing_country\n"
        "10,10,6/7/2024 6:29:00,6/7/2024 6:30:00,wc-completed,25.00,-5.00,EUR,0,a@x.eu,PL\n"
        "11,11,6/8/2024 6:29:00,,cancelled,30.00,0,EUR,7,b@x.eu,PL\n"
        "12,12,6/8/2024 6:29:00,,refunded,30.00,-30.00,EUR,7,b@x.eu,PL\n"
        "13,13,6/8/2024 6:29:00,,on-hold,30.00,,EUR,7,b@x.eu,PL\n",
        {},
        {"read": 4, "filtered": 3, "kept": 1},
        ("a@x.eu", "2024-06-07 06:29:00", 20.0),
    ),
    # A year of two seats; never begun; a trial that runs; one that ended before it was paid.
    "stripe_subscriptions": (
        "id,Customer ID,Customer Email,Plan,Product,Quantity,Currency,Interval,Amount,Status,Created (UTC),"
        "Start Date (UTC),Trial End (UTC),Canceled At (UTC),Ended At (UTC),Cancellation Reason\n"
        "sub_1,cus_1,a@x.eu,price_1,prod_1,2,eur,year,120.00,active,2024-01-13 10:00,2024-01-13 10:00,,,,\n"
        "sub_2,cus_2,b@x.eu,price_2,prod_1,1,eur,month,9.00,incomplete,2024-01-14,2024-01-14,,,,\n"
        "sub_3,cus_3,c@x.eu,price_2,prod_1,1,eur,month,9.00,trialing,2024-01-14,2024-01-14,2024-01-28,,,\n"
        "sub_4,cus_4,d@x.eu,price_2,prod_1,1,eur,month,9.00,canceled,2024-01-14 10:00,2024-01-14 10:00,"
        "2024-01-28 10:00,2024-01-20 10:00,2024-01-28 10:00,\n",
        {},
        {"read": 4, "filtered": 3, "kept": 1},
        ("cus_1", "2024-01-13 10:00:00", 20.0),
    ),
    "stripe_invoices": (
        "id,Customer,Customer Name,Number,Date (UTC),Amount Due,Amount Paid,Currency,Paid At (UTC),"
        "Subscription,Status\n"
        "in_1,cus_1,A,X-1,2024-01-13 10:00,9.00,9.00,eur,2024-01-13 11:00,sub_1,paid\n"
        "in_2,cus_1,A,X-2,2024-02-13 10:00,9.00,0.00,eur,,sub_1,open\n"
        "in_3,cus_1,A,X-3,2024-03-13 10:00,9.00,0.00,eur,2024-03-13 11:00,sub_1,void\n",
        {},
        {"read": 3, "no date": 1, "filtered": 1, "kept": 1},
        ("cus_1", "2024-01-13 11:00:00", 9.0),
    ),
    # Two months that follow on, 23 % tax on them; not paid; paid once, of no subscription.
    "stripe_invoice_periods": (
        "id,Customer,Number,Date (UTC),Amount Due,Amount Paid,Tax,Currency,Paid At (UTC),Subscription,Status,"
        "Minimum Line Item Period Start (UTC),Maximum Line Item Period End (UTC)\n"
        "in_1,cus_1,X-1,2024-01-13 10:00,12.30,12.30,2.30,eur,2024-01-13 11:00,sub_1,paid,"
        "2024-01-13 10:00,2024-02-13 10:00\n"
        "in_2,cus_1,X-2,2024-02-13 10:00,12.30,12.30,2.30,eur,2024-02-15 11:00,sub_1,paid,"
        "2024-02-13 10:00,2024-03-13 10:00\n"
        "in_3,cus_1,X-3,2024-03-13 10:00,12.30,0.00,,eur,,sub_1,uncollectible,"
        "2024-03-13 10:00,2024-04-13 10:00\n"
        "in_4,cus_2,X-4,2024-03-13 10:00,50.00,50.00,,eur,2024-03-13 10:00,,paid,"
        "2024-03-13 10:00,2024-03-13 10:00\n",
        {},
        {"read": 4, "filtered": 2, "kept": 2},
        ("cus_1", "2024-01-13 10:00:00", 10.0),
    ),
    "google_forms": (
        "Timestamp,Email Address,How likely are you to recommend us to a friend?,What is the reason?\n"
        "2024/01/13 2:05:11 PM GMT+1,a@x.eu,10 - extremely likely,kind\n"
        "2024/01/14 9:00:00 AM GMT+1,b@x.eu,,\n",
        {"timezone": "Europe/Warsaw"},
        {"read": 2, "no answer": 1, "kept": 1},
        ("a@x.eu", "2024-01-13 14:05:11", 10.0),
    ),
    "typeform": (
        "#,How likely are you to recommend us?,Why?,email,Response Type,Start Date (UTC),Stage Date (UTC),"
        "Submit Date (UTC),Network ID,Tags\n"
        "8a,9,kind,a@x.eu,completed,2024-01-13 10:00:00,,2024-01-13 10:05:00,938f,\n"
        "9b,,,b@x.eu,completed,2024-01-14 10:00:00,,2024-01-14 10:01:00,938e,\n"
        "9c,2,,b@x.eu,partial,2024-01-14 10:00:00,2024-01-14 10:01:00,2024-01-14 10:01:00,938e,\n",
        {},
        {"read": 3, "no answer": 1, "filtered": 1, "kept": 1},
        ("a@x.eu", "2024-01-13 10:05:00", 9.0),
    ),
}
VALUES = {"orders": ("ordered_at", "amount"), "subscriptions": ("started_at", "mrr")}


def test_every_preset_has_its_export() -> None:
    assert list(EXPORTS) == presets.names()


@pytest.mark.parametrize("name", EXPORTS)
def test_an_export_is_read_by_its_preset_and_known_by_its_columns(name: str, tmp_path: Path) -> None:
    text, how, rows, (customer, moment, value) = EXPORTS[name]
    path = tmp_path / "export.csv"
    path.write_text(text)
    kind = presets.kind(name)
    load = getattr(tables, f"load_{kind}")
    loaded = load(path, preset=name, as_of="2025-01-01", **how)
    assert dict(zip(loaded.checks["rule"], loaded.checks["rows"].tolist(), strict=True)) == rows
    kept = loaded.table.execute().iloc[0]
    when, number = VALUES.get(kind, ("responded_at", "score"))
    assert (kept.customer_id, str(kept[when]), round(kept[number], 9)) == (customer, moment, value)
    assert presets.found(text.partition("\n")[0].split(","), kind) == name


@pytest.mark.parametrize("name", ["shopify_orders", "woocommerce_orders", "stripe_invoices"])
def test_two_currencies_are_refused_and_not_added_up(name: str, tmp_path: Path) -> None:
    text, how, _, _ = EXPORTS[name]
    head, first, *_ = text.splitlines()
    other = first.replace("EUR", "USD").replace("eur", "usd").replace("1001", "1009").replace("in_1", "in_9")
    (tmp_path / "a.csv").write_text("\n".join([head, first, other]))
    with pytest.raises(DataError, match=r"orders holds 2 currencies: .* They are not added up"):
        tables.load_orders(tmp_path / "a.csv", preset=name, as_of="2025-01-01", **how)


def test_an_answer_in_the_linked_sheet_has_no_zone(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("Timestamp,Would you recommend us?\n1/13/2024 14:05:11,10\n")
    kept = tables.load_responses(
        tmp_path / "a.csv", preset="google_forms", as_of="2025-01-01"
    ).table.execute()
    assert str(kept["responded_at"].iloc[0]) == "2024-01-13 14:05:11"


def test_invoices_are_orders_or_subscriptions_by_what_is_asked() -> None:
    columns = EXPORTS["stripe_invoice_periods"][0].partition("\n")[0].split(",")
    assert presets.fitting(columns) == ["stripe_invoices", "stripe_invoice_periods"]
    assert presets.found(columns, "orders") == "stripe_invoices"
    assert presets.found(columns, "subscriptions") == "stripe_invoice_periods"
    assert presets.found(columns) is None


FEW = """id,Customer ID,Status,Created (UTC),Canceled At (UTC),Trial End (UTC),Plan Amount,Plan Currency,\
Plan price ID
sub_1,cus_1,canceled,2024-01-13 10:00,2024-03-13 10:00,,19.00,usd,price_1
sub_2,cus_2,active,2024-01-13 10:00,2024-03-13 10:00,,49.00,usd,price_2
sub_3,cus_3,canceled,2024-01-13 10:00,2024-01-20 10:00,2024-01-27 10:00,49.00,usd,price_2
"""


def test_subscriptions_exported_without_their_end_end_when_they_are_cancelled(tmp_path: Path) -> None:
    """One that is cancelled and still active runs on; a trial that was cancelled never was one."""
    (tmp_path / "a.csv").write_text(FEW)
    loaded = tables.load_subscriptions(
        tmp_path / "a.csv", preset="stripe_subscriptions", as_of="2025-01-01"
    ).table.execute()
    assert presets.found(FEW.partition("\n")[0].split(","), "subscriptions") == "stripe_subscriptions"
    assert loaded["customer_id"].tolist() == ["cus_1", "cus_2"]
    assert [str(each)[:10] for each in loaded["ended_at"]] == ["2024-03-13", "NaT"]
    assert loaded[["mrr", "plan", "currency"]].values.tolist() == [
        [19.0, "price_1", "usd"],
        [49.0, "price_2", "usd"],
    ]


@pytest.mark.parametrize(
    ("left_out", "mrr"),
    [("Quantity", 10.0), ("Interval", 240.0), ("Quantity Interval", 120.0), ("Product", 20.0)],
)
def test_a_price_is_a_months_with_whatever_columns_were_chosen(
    left_out: str, mrr: float, tmp_path: Path
) -> None:
    """Two seats at 120 a year; what no column says (seats, or that it is a year's) cannot be known."""
    text, _, _, _ = EXPORTS["stripe_subscriptions"]
    frame = pd.read_csv(io.StringIO(text), dtype=str).drop(columns=left_out.split())
    frame.to_csv(tmp_path / "a.csv", index=False)
    kept = tables.load_subscriptions(
        tmp_path / "a.csv", preset="stripe_subscriptions", as_of="2025-01-01"
    ).table.execute()
    assert kept["mrr"].round(9).tolist() == [mrr]


def test_an_older_export_of_invoices_says_paid_without_a_status(tmp_path: Path) -> None:
    text, _, _, _ = EXPORTS["stripe_invoices"]
    older = text.replace("Subscription,Status", "Subscription,Paid").replace("sub_1,paid", "sub_1,TRUE")
    (tmp_path / "a.csv").write_text(older.replace("sub_1,void", "sub_1,FALSE"))
    loaded = tables.load_orders(tmp_path / "a.csv", preset="stripe_invoices", as_of="2025-01-01")
    assert loaded.table.order_id.execute().tolist() == ["in_1"]


def test_every_preset_says_who_states_its_columns_and_what_nobody_does() -> None:
    for told in presets._all().values():
        assert told["stated"].endswith("2026-11-26")
        assert told["not_stated"]
        assert told["says"]


def test_what_is_said_goes_before_the_preset(tmp_path: Path) -> None:
    text, _, _, _ = EXPORTS["woocommerce_orders"]
    (tmp_path / "a.csv").write_text(text)
    own = {"columns": {"customer_id": "billing_country"}, "where": "TRUE", "as_of": "2025-01-01"}
    loaded = tables.load_orders(tmp_path / "a.csv", preset="woocommerce_orders", **own)
    assert loaded.table.customer_id.execute().tolist() == ["PL"] * 4


def test_another_export_is_refused_with_what_was_sought(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("Customer ID,Total\nx,1\n")
    with pytest.raises(DataError) as refused:
        tables.load_orders(tmp_path / "a.csv", preset="shopify_orders", as_of="2025-01-01")
    assert str(refused.value) == (
        "a.csv is no export as preset shopify_orders knows it: nothing for customer_id (sought: Email). "
        "It has ['Customer ID', 'Total']. Say columns={'customer_id': 'your_name'}."
    )
    with pytest.raises(DataError, match="Did you mean 'shopify_orders'"):
        tables.load_orders(tmp_path / "a.csv", preset="shopfy_orders", as_of="2025-01-01")
