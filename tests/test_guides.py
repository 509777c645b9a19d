"""The guide: each guess with its reason and three values, for every kind of table; options for all."""

from pathlib import Path
from typing import Any

import ibis
import pandas as pd
import pytest
from typer.testing import CliRunner

from retention_kit import drafts, guides, params, tables
from retention_kit.cli import app
from retention_kit.exceptions import ParamsError

MEMBERS = """Mitgliedsnr;Kundennummer;Startdatum;Enddatum;Monatsbeitrag;Tarif;Kündigungsgrund
1;K1;13.01.2024;;29,90;Gold;
2;K2;14.01.2024;20.03.2024;19,90;Basis;Umzug
3;K3;25.02.2024;;19,90;Basis;
"""
SURVEY = """Sygnatura czasowa,Adres e-mail,Na ile prawdopodobne jest że nas polecisz?,Dlaczego?
2024-01-13 10:00:00,a@x.eu,10 - bardzo prawdopodobne,miła obsługa
2024-01-14 11:00:00,b@x.eu,3,drogo
"""
EVENTS = """user_id,event_name,timestamp,page
u1,login,2024-01-13 10:00:00,/
u2,saved,2024-01-14 11:00:00,/a
u1,saved,2024-02-14 11:00:00,/b
"""
STRIPE = """id,Customer ID,Plan,Quantity,Currency,Interval,Amount,Status,Start Date (UTC),Canceled At (UTC),\
Ended At (UTC)
sub_1,cus_1,Gold,1,eur,month,20.00,active,2024-01-13 10:00,,
sub_2,cus_2,Gold,1,eur,year,120.00,canceled,2024-01-14 10:00,2024-02-10 10:00,2024-02-14 10:00
"""


def nobody(question: str, option: str, default: str) -> str:
    raise ParamsError(f"{question} Say {option}.")


def drafted(folder: Path, kind: str, text: str, *, given: dict | None = None, **how: Any) -> drafts.Draft:
    (folder / "export.csv").write_text(text, encoding="utf-8")
    said: dict[str, Any] = {"as_of": "2024-05-01", "currency": "EUR"} | how
    source = folder / "export.csv"
    return drafts.draft("acme", source, kind=kind, given=given or {}, folder=folder, ask=nobody, **said)


def columns(draft: drafts.Draft, kind: str) -> dict[str, str]:
    return draft.values["data"][kind]["columns"]


def test_subscriptions_are_guessed_with_reasons_and_values(tmp_path: Path) -> None:
    draft = drafted(tmp_path, "subscriptions", MEMBERS)
    assert columns(draft, "subscriptions") == {
        "customer_id": "Kundennummer",
        "started_at": "Startdatum",
        "ended_at": "Enddatum",
        "mrr": "Monatsbeitrag",
        "plan": "Tarif",
        "cancel_reason": "Kündigungsgrund",
    }
    assert "  mrr          Monatsbeitrag  (a known name for it; such as 29,90 | 19,90)" in draft.reasons
    assert "Tried: 3 rows read, 3 kept, 3 subscriptions" in draft.reasons


def test_answers_are_guessed_from_the_words_of_their_questions(tmp_path: Path) -> None:
    draft = drafted(tmp_path, "responses", SURVEY)
    assert columns(draft, "responses") == {
        "score": "Na ile prawdopodobne jest że nas polecisz?",
        "customer_id": "Adres e-mail",
        "responded_at": "Sygnatura czasowa",
        "comment": "Dlaczego?",
    }
    assert "currency" not in draft.values
    client = params.read(drafts.write(draft, tmp_path))
    assert tables.load(client, "responses").table.score.execute().tolist() == [10, 3]


TILL = """Date,Net Sales,Gross Sales,PAN Suffix,Customer ID
03/13/24,"$1,234.50","$1,300.00",1234,a
03/14/24,-$2.50,-$2.50,0021,b
"""
BILLING = """account_code,state,activated_at,canceled_at,expires_at,unit_amount
1,active,2023-03-13 10:00:00,,,19.00
1,expired,2023-03-13 10:00:00,,2023-06-13 10:00:00,19.00
2,canceled,2023-03-13 10:00:00,2024-04-20 10:00:00,2024-05-13 10:00:00,59.00
3,expired,2023-03-13 10:00:00,2023-06-01 10:00:00,2023-06-13 10:00:00,19.00
"""
PANEL = """Respondent ID,Date Created,Date Modified,How likely is it that you would recommend us?
118001,01/27/2024 04:19:00 AM,01/27/2024 04:22:00 AM,Extremely likely - 10
118002,01/28/2024 04:19:00 AM,01/28/2024 04:22:00 AM,Not at all likely - 0
118003,01/29/2024 04:19:00 AM,01/29/2024 04:22:00 AM,8
"""


def test_sums_with_a_sign_are_sums_and_digits_of_cards_are_not_asked_about(tmp_path: Path) -> None:
    with pytest.raises(ParamsError) as asked:
        drafted(tmp_path, "orders", TILL)
    assert "how much was paid: Net Sales ($1,234.50 | -$2.50); Gross Sales" in str(asked.value)
    assert "PAN" not in str(asked.value)


def test_an_end_is_when_it_expires_and_not_when_it_was_cancelled(tmp_path: Path) -> None:
    """What ran out without being cancelled has ended too, and what was cancelled runs on until then."""
    draft = drafted(tmp_path, "subscriptions", BILLING)
    assert columns(draft, "subscriptions")["ended_at"] == "expires_at"
    assert (
        "  note: state has expired (2), active (1), canceled (1). All count; else say --where."
        in draft.reasons
    )
    of_land = drafted(tmp_path, "subscriptions", BILLING.replace("state", "Billing State"))
    assert not [reason for reason in of_land.reasons if "Billing State has" in reason]


def sold(price: str) -> str:
    """Twelve lines of one and twelve of three units; the price as one unit's or as that of all of them."""
    units = [1, 3] * 12
    lines = [
        (f"o{i}", f"a{i % 5}@x.eu", f"2024-01-{i + 1:02}T10:00:00", n, (4.99, 12, 7.5)[i % 3])
        for i, n in enumerate(units)
    ]
    cells = [
        (order, who, when, f"{n}", f"{each * n if price == 'of all' else each:.2f}", "2.99")
        for order, who, when, n, each in lines
    ]
    head = ("order-id", "buyer-email", "purchase-date", "quantity-purchased", "item-price", "shipping-price")
    return "\n".join(",".join(row) for row in [head, *cells])


def test_a_price_that_holds_all_units_is_not_multiplied(tmp_path: Path) -> None:
    """Marketplaces write what a line cost, whatever its units, and call it a price."""
    draft = drafted(tmp_path, "orders", sold("of all"))
    assert columns(draft, "orders")["amount"] == "item-price"
    why = "no total, but a price that holds all units: by quantity-purchased it is one unit's"
    assert any(f"item-price  ({why}; such as" in reason for reason in draft.reasons)
    of_one = drafted(tmp_path, "orders", sold("of one"))
    assert columns(of_one, "orders")["amount"] == '"quantity-purchased" * "item-price"'


def test_a_price_is_listed_where_it_is_asked_how_much_was_paid(tmp_path: Path) -> None:
    """Without a known quantity it may be one unit's, and the postage alone is never taken for the amount."""
    text = sold("of all").replace("quantity-purchased", "how many")
    for asked_of in (text, text.replace("shipping-price", "colour").replace("2.99", "red")):
        with pytest.raises(ParamsError, match=r"how much was paid: item-price \(4.99 \| 36.00"):
            drafted(tmp_path, "orders", asked_of)


def test_the_shops_own_address_is_no_customer(tmp_path: Path) -> None:
    rows = [
        f"{i + 1:02}/01/2024,Completed,EUR,{i}.50,-1.00,{i}.00,a{i % 7}@x.eu,shop@x.eu,T{i}"
        for i in range(28)
    ]
    head = "Date,Status,Currency,Gross,Fee,Net,From Email Address,To Email Address,Transaction ID"
    draft = drafted(tmp_path, "orders", "\n".join([head, *rows]))
    assert columns(draft, "orders") == {
        "customer_id": "From Email Address",
        "ordered_at": "Date",
        "order_id": "Transaction ID",
        "amount": "Gross",
        "currency": "Currency",
    }
    assert not any("says who too" in reason for reason in draft.reasons)


def test_subscriptions_begin_when_they_are_activated(tmp_path: Path) -> None:
    """Trials that nobody paid for have no such day, and are set aside."""
    text = """Customer Id,Current Plan,Created On,Trial End,Activated On,Canceled On,Reason Code,MRR
1,Pro,2023-03-01 10:00,2023-03-15 10:00,2023-03-15 10:00,,,49
2,Pro,2023-03-02 10:00,2023-03-16 10:00,,2023-03-16 10:00,Trial over,49
3,Basic,2023-03-03 10:00,,2023-03-03 10:00,2023-09-03 10:00,No card,19
"""
    draft = drafted(tmp_path, "subscriptions", text)
    assert columns(draft, "subscriptions") == {
        "customer_id": "Customer Id",
        "started_at": "Activated On",
        "ended_at": "Canceled On",
        "mrr": "MRR",
        "plan": "Current Plan",
        "cancel_reason": "Reason Code",
    }
    assert "Tried: 3 rows read, 2 kept, 2 subscriptions" in draft.reasons


def test_answers_with_their_words_before_them_are_scores(tmp_path: Path) -> None:
    draft = drafted(tmp_path, "responses", PANEL)
    assert columns(draft, "responses")["responded_at"] == "Date Created"
    client = params.read(drafts.write(draft, tmp_path))
    assert tables.load(client, "responses").table.score.execute().tolist() == [10, 0, 8]


QUESTIONS = """StartDate,RecordedDate,Status,Progress,Q1,Q2,ExternalReference
Start Date,Recorded Date,Response Type,Progress,How likely are you to recommend us?,What is the reason?,Ref
"{""Id"":""a""}","{""Id"":""b""}","{""Id"":""c""}","{""Id"":""d""}","{""Id"":""e""}","{""Id"":""f""}","{""Id"":""g""}"
2024-01-13 10:00:00,2024-01-13 10:05:00,IP Address,100,10,kind,000208
2024-01-14 10:00:00,2024-01-14 10:05:00,Survey Preview,100,3,slow,000209
"""


def test_questions_below_the_header_say_what_the_columns_hold(tmp_path: Path) -> None:
    draft = drafted(tmp_path, "responses", QUESTIONS)
    assert columns(draft, "responses") == {
        "score": "Q1",
        "customer_id": "ExternalReference",
        "responded_at": "RecordedDate",
        "comment": "Q2",
    }
    assert "  note: rows below the header say what columns hold; they are counted apart" in draft.reasons
    assert "Tried: 4 rows read, 2 kept, 2 responses" in draft.reasons
    note = "  note: Status has IP Address (1), Survey Preview (1). All count; else say --where."
    assert draft.reasons[-1] == note
    said = drafted(tmp_path, "responses", QUESTIONS, how={"where": "Status = 'IP Address'"})
    assert not any("All count" in reason for reason in said.reasons)


RENEWALS = """user_id,start_time,end_time,price
u1,2024-01-13,2024-02-13,20.00
u1,2024-02-13,2024-03-13,20.00
u2,2024-01-14,2025-01-14,120.00
"""


def test_rows_that_are_invoices_are_doubted_and_read_by_what_was_paid(tmp_path: Path) -> None:
    given = {"started_at": "start_time", "ended_at": "end_time"}
    draft = drafted(tmp_path, "subscriptions", RENEWALS, given=given)
    assert any("are they invoices" in reason for reason in draft.reasons)
    draft = drafted(tmp_path, "subscriptions", RENEWALS, given=given | {"amount": "price"})
    assert "  mrr          none  (it is the amount over the months)" in draft.reasons
    assert "Tried: 3 rows read, 3 kept, 2 subscriptions" in draft.reasons
    loaded = tables.load(params.read(drafts.write(draft, tmp_path)), "subscriptions")
    assert sorted(loaded.table.mrr.execute()) == [10.0, 20.0]


def test_events_are_guessed(tmp_path: Path) -> None:
    draft = drafted(tmp_path, "events", EVENTS)
    assert columns(draft, "events") == {
        "customer_id": "user_id",
        "occurred_at": "timestamp",
        "event": "event_name",
    }


def test_a_tools_export_is_known_by_its_columns(tmp_path: Path) -> None:
    draft = drafted(tmp_path, "subscriptions", STRIPE)
    table = draft.values["data"]["subscriptions"]
    assert table["columns"]["started_at"] == "Start Date (UTC)"
    assert table["where"].startswith("Status NOT IN")
    assert "  preset       stripe_subscriptions  (its columns)" in draft.reasons
    loaded = tables.load(params.read(drafts.write(draft, tmp_path)), "subscriptions")
    assert sorted(loaded.table.mrr.execute()) == [10.0, 20.0]


INVOICES = """id,Customer,Number,Date (UTC),Amount Paid,Tax,Currency,Paid At (UTC),Subscription,Status,\
Minimum Line Item Period Start (UTC),Maximum Line Item Period End (UTC)
in_1,cus_1,X-1,2024-01-13,12.30,2.30,EUR,2024-01-13,sub_1,paid,2024-01-13,2024-02-13
in_2,cus_1,X-2,2024-02-13,12.30,2.30,EUR,2024-02-13,sub_1,paid,2024-02-13,2024-03-13
in_3,cus_2,X-3,2024-02-14,12.30,2.30,EUR,,sub_2,open,2024-02-14,2024-03-14
"""


def test_an_export_of_two_kinds_is_read_as_asked_and_the_other_is_told(tmp_path: Path) -> None:
    draft = drafted(tmp_path, "subscriptions", INVOICES)
    assert "  preset       stripe_invoice_periods  (its columns)" in draft.reasons
    assert (
        "  note: the same export is orders by preset stripe_invoices: say --orders, and not --subscriptions"
        in draft.reasons
    )
    assert "Tried: 3 rows read, 2 kept, 1 subscriptions" in draft.reasons
    loaded = tables.load(params.read(drafts.write(draft, tmp_path)), "subscriptions")
    assert loaded.table.mrr.execute().tolist() == [10.0]
    (tmp_path / "acme.yaml").unlink()
    draft = drafted(tmp_path, "orders", INVOICES)
    assert "  preset       stripe_invoices  (its columns)" in draft.reasons
    assert columns(draft, "orders")["amount"] == "Amount Paid"


def test_a_preset_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ParamsError) as refused:
        drafted(tmp_path, "orders", STRIPE)
    assert str(refused.value) == (
        "export.csv: preset stripe_subscriptions is of subscriptions. Say --subscriptions, and not --orders."
    )


def test_what_is_said_is_not_guessed_and_a_strange_option_is_refused(tmp_path: Path) -> None:
    draft = drafted(tmp_path, "subscriptions", MEMBERS, given={"customer_id": "Mitgliedsnr", "plan": "none"})
    assert columns(draft, "subscriptions")["customer_id"] == "Mitgliedsnr"
    assert "plan" not in columns(draft, "subscriptions")
    with pytest.raises(ParamsError) as refused:
        drafted(tmp_path, "subscriptions", MEMBERS, given={"score": "Tarif"})
    assert str(refused.value) == "--score is no column of subscriptions. Leave it out."


def test_everything_that_is_guessed_is_an_option_of_the_command(tmp_path: Path) -> None:
    shown = CliRunner().invoke(app, ["new", "--help"], env={"COLUMNS": "300", "NO_COLOR": "1"}).output
    for name in {name for kind in guides.ASKED.values() for name in kind}:
        assert f"--{name.replace('_', '-')} " in shown
    said = ["new", "acme", "--subscriptions", str(tmp_path / "export.csv"), "--as-of", "2024-05-01"]
    said += ["--currency", "EUR", "--folder", str(tmp_path / "params"), "--cancel-reason", "none"]
    (tmp_path / "export.csv").write_text(MEMBERS, encoding="utf-8")
    result = CliRunner().invoke(app, said)
    assert result.exit_code == 0, result.output
    assert "  cancel_reason none  (as you said)" in result.output
    assert params.read(tmp_path / "params" / "acme.yaml").has("subscriptions")


def test_one_export_is_named(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["new", "acme", "--orders", "a.csv", "--events", "b.csv"])
    assert str(result.exception) == (
        "Name one export by one of --orders, --subscriptions, --responses, --events. "
        "Another is added to the client file by hand."
    )


def test_a_table_of_a_database_is_drafted_and_read_again_from_beside_the_client_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = ibis.duckdb.connect(tmp_path / "shop.ddb")
    rows = {
        "customer_id": ["a", "b", "a"],
        "order_date": pd.date_range("2024-01-13", periods=3),
        "total": [1.5, 2, 3],
    }
    engine.create_table("orders", pd.DataFrame(rows))
    engine.disconnect()
    monkeypatch.chdir(tmp_path)
    said: dict[str, Any] = {"given": {}, "as_of": "2024-05-01", "currency": "EUR", "ask": nobody}
    draft = drafts.draft("acme", "duckdb://shop.ddb", folder=Path("params"), how={"table": "orders"}, **said)
    assert draft.values["data"]["orders"]["source"] == "duckdb://../shop.ddb"
    client = params.read(drafts.write(draft, Path("params")))
    assert tables.load(client, "orders").table.amount.sum().execute() == 6.5


def test_a_password_is_written_by_its_name_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: dict[str, Any] = {"given": {}, "folder": tmp_path, "how": {"table": "orders"}, "ask": nobody}
    with pytest.raises(ParamsError) as refused:
        drafts.draft("acme", "postgres://me:s3cret-word@host/shop", **said)
    assert "s3cret-word" not in str(refused.value)
    assert str(refused.value).startswith("The address holds a password, and client files are passed on.")
    (tmp_path / "export.csv").write_text(EVENTS)
    monkeypatch.setenv("EXPORTS", str(tmp_path))
    given = {"kind": "events", "as_of": "2024-05-01"}
    draft = drafts.draft("acme", "${EXPORTS}/export.csv", **{**said, "how": {}}, **given)
    assert draft.values["data"]["events"]["source"] == "${EXPORTS}/export.csv"
    with pytest.raises(ParamsError, match="the environment variable NOWHERE_SET is not set"):
        drafts.draft("acme", "${NOWHERE_SET}/export.csv", **said)
