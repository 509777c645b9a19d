"""A draft says what it guessed and why, asks for what it cannot tell, and is tried before it is written."""

import io
import subprocess
import sys

import pandas as pd
import pytest
from typer.testing import CliRunner

from retention_kit import drafts, params, tables
from retention_kit.cli import app
from retention_kit.exceptions import DataError, ParamsError

NOTHING = {"customer_id": None, "ordered_at": None, "order_id": None, "amount": None}

POLISH = """Nr zamówienia;Data zamówienia;Klient;Ilość;Cena jednostkowa;Miasto
ZAM/1;29.06.2024;Łoś;2;1 234,50;Łódź
ZAM/1;29.06.2024;Łoś;1;10,00;Łódź
ZAM/2;30.06.2024;Żak;1;20,25;Łódź
ZAM/3;02.06.2024;Łoś;3;0,75;Kraków
"""
GERMAN = """Bestell-Nr.;Bestelldatum;Kunden-Nr.;Gesamtbetrag brutto (EUR);Gesamtbetrag netto (EUR)
B1;02.01.2024;1001;1.190,00;1.000,00
B2;03.01.2024;1002;11,90;10,00
B3;14.02.2024;1001;23,80;20,00
"""
SHOPIFY = """Name,Email,Paid at,Currency,Subtotal,Total,Created at,Lineitem quantity,Lineitem price,Id
#1001,a@x.eu,2024-06-01 10:00:00+02:00,EUR,30.00,34.90,2024-06-01 09:59:00+02:00,1,10.00,501
#1001,a@x.eu,,,,,2024-06-01 09:59:00+02:00,2,10.00,
#1002,b@x.eu,2024-07-01 00:30:00+02:00,EUR,15.00,19.90,2024-07-01 00:30:00+02:00,1,15.00,502
"""
PLAIN = """customer,date,total
a,2024-01-05,10.50
b,2024-02-20,20.00
a,2024-03-13,30.00
"""


class Asked:
    """Answers in turn what it is asked, and keeps the questions."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.questions = []

    def __call__(self, question, option, default):
        self.questions.append((question, option, default))
        return self.answers.pop(0)


def nobody(question, option, default):
    raise ParamsError(f"{question} Say {option}.")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "exports").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path / "params"


def export(folder, text, name="orders.csv", encoding="utf-8"):
    path = folder.parent / "exports" / name
    path.write_text(text, encoding=encoding)
    return path


def drafted(folder, text, *, ask=nobody, encoding="utf-8", given=None, **how):
    said = {"as_of": "2024-08-01", "currency": "EUR"} | how
    source = export(folder, text, encoding=encoding)
    return drafts.draft("acme", source, given=NOTHING | (given or {}), folder=folder, ask=ask, **said)


def columns(draft):
    return draft.values["data"]["orders"]["columns"]


def test_polish_excel_export(folder):
    draft = drafted(folder, POLISH, encoding="cp1250", currency="PLN")
    assert columns(draft) == {
        "customer_id": "Klient",
        "ordered_at": "Data zamówienia",
        "order_id": "Nr zamówienia",
        "amount": '"Ilość" * "Cena jednostkowa"',
    }
    assert "  customer_id  Klient  (a known name for it; such as Łoś | Żak)" in draft.reasons
    assert "Tried: 4 rows read, 4 kept, 3 orders" in draft.reasons
    assert "  ordered_at: day first  (guessed)" in draft.reasons


def test_what_is_written_reads_as_what_was_tried(folder):
    """From the client file alone, three orders: 2 * 1234.50 + 10, 20.25 and 3 * 0.75."""
    path = drafts.write(drafted(folder, POLISH, encoding="cp1250", currency="PLN"), folder)
    client = params.read(path)
    assert (client.client, client.currency, client.as_of) == ("acme", "PLN", "2024-08-01")
    assert "source: ../exports/orders.csv\n" in path.read_text(encoding="utf-8")
    amounts = tables.load(client, "orders").table.order_by("ordered_at").amount.execute()
    assert amounts.tolist() == [2.25, 2479.0, 20.25]


def test_two_totals_are_equally_good_so_the_user_is_asked(folder):
    ask = Asked("Gesamtbetrag brutto (EUR)")
    draft = drafted(folder, GERMAN, ask=ask)
    assert columns(draft)["amount"] == "Gesamtbetrag brutto (EUR)"
    assert ask.questions == [
        (
            "orders.csv: which column says how much was paid: "
            "Gesamtbetrag brutto (EUR) (1.190,00 | 11,90 | 23,80); "
            "Gesamtbetrag netto (EUR) (1.000,00 | 10,00 | 20,00)?",
            "--amount COLUMN (or none)",
            "none",
        )
    ]


def test_shopify_totals_stand_on_an_orders_first_line_alone(folder):
    draft = drafted(folder, SHOPIFY, currency=None, how={"timezone": "Europe/Berlin"})
    assert columns(draft) == {
        "customer_id": "Email",
        "ordered_at": "Created at",
        "order_id": "Name",
        "amount": "Total",
    }
    assert draft.values["currency"] == "EUR"
    assert draft.values["data"]["orders"]["timezone"] == "Europe/Berlin"
    assert "Tried: 3 rows read, 2 kept, 2 orders" in draft.reasons
    assert "  set aside: 1 no amount" in draft.reasons


def test_offsets_ask_whose_clock(folder):
    ask = Asked("Europe/Berln")
    with pytest.raises(ParamsError) as error:
        drafted(folder, SHOPIFY, ask=ask)
    assert ask.questions[0][:2] == (
        "Created at has offsets from UTC (2024-06-01 09:59:00+02:00): whose clock begins the client's month?",
        "--timezone Europe/Warsaw (or another)",
    )
    assert str(error.value) == (
        "timezone: there is no 'Europe/Berln'. Did you mean 'Europe/Berlin'? Say one such as Europe/Warsaw."
    )


@pytest.mark.parametrize(
    "header",
    [
        "CustomerID,InvoiceDate,InvoiceNo,Revenue",
        "customer_email,created_at,increment_id,grand_total",
        "Customer User ID,Order Date,Order ID,Order Total Amount",
        "Kundennr.,Rechnungsdatum,Rechnungs-Nr.,Umsatz",
        "N° client,Date de commande,N° de commande,Montant total",
        "Código de cliente,Fecha del pedido,Número de pedido,Importe",
        "household_key,DAY,BASKET_ID,SALES_VALUE",
        "Kupujący e-mail,Data złożenia zamówienia (UTC),ID zamówienia,Do zapłaty",
    ],
)
def test_names_as_exports_write_them(folder, header):
    text = f"{header}\nc1,2024-01-05,o1,1.50\nc2,2024-01-06,o2,2.50\nc1,2024-02-13,o3,9.99\n"
    assert list(columns(drafted(folder, text)).values()) == header.split(",")


def test_the_order_of_columns_changes_nothing(folder):
    frame = pd.read_csv(io.StringIO(POLISH), sep=";", dtype=str)
    guessed = [
        columns(drafted(folder, frame[order].to_csv(sep=";", index=False)))
        for order in (list(frame), list(frame)[::-1], sorted(frame))
    ]
    assert [set(each) for each in guessed] == [{"customer_id", "ordered_at", "order_id", "amount"}] * 3
    assert guessed[0] == guessed[1] == guessed[2]


def test_without_names_values_tell_dates_money_and_ids_that_come_back(folder):
    rows = [f"k{i % 9},{5 + i % 20:02}.0{1 + i // 20}.2024,{i}.50,x" for i in range(60)]
    draft = drafted(folder, "\n".join(["w,t,m,z", *rows]))
    assert columns(draft) == {"customer_id": "w", "ordered_at": "t", "amount": "m"}
    assert "  customer_id  w  (the only column of ids that come back; such as k0 | k1 | k2)" in draft.reasons
    assert "  ordered_at   t  (the only column of dates; such as 05.01.2024 | 06.01.2024 | 07.01.2024)" in (
        draft.reasons
    )


def test_two_names_of_one_id_are_one(folder):
    text = "order_id,order_number,customer,date,total\n1,N1,a,2024-01-05,1.5\n2,N2,b,2024-01-13,2.5\n"
    draft = drafted(folder, text)
    assert columns(draft)["order_id"] == "order_id"
    assert any("order_number says the same" in reason for reason in draft.reasons)


def test_a_total_written_on_every_line_is_not_added_up(folder):
    lines = [f"{o},c{o % 3},2024-01-{10 + o},{q},{o}.50,{o * 3}.50" for o in range(1, 6) for q in (1, 2)]
    with_prices = "\n".join(["order_id,customer_id,date,qty,price,total", *lines])
    assert columns(drafted(folder, with_prices))["amount"] == "qty * price"
    totals_alone = drafted(folder, with_prices.replace("price", "weight"))
    assert columns(totals_alone)["amount"] == "total"
    assert (
        "  warning: total is the same on every line of an order: is it the order's total, written again? "
        "Then it is added up too often. Keep one line an order with --where."
    ) in totals_alone.reasons


def test_guests_under_one_id_are_pointed_at(folder):
    lines = [f"{0 if i % 2 else i + 1},2024-01-{10 + i},5.50" for i in range(20)]
    draft = drafted(folder, "\n".join(["customer_id,date,total", *lines]))
    assert (
        "  warning: 50 % of orders are of one customer, '0': guests under one id? "
        "Then set them aside with --where."
    ) in draft.reasons


def test_one_of_two_currencies_is_kept_and_the_column_stays_watched(folder):
    text = "customer,date,total,Waluta\na,2024-01-05,1.50,PLN\nb,2024-01-16,2.50,EUR\nc,2024-02-07,9.50,PLN\n"
    ask = Asked("pln")
    draft = drafted(folder, text, currency=None, ask=ask)
    assert ask.questions[0][0] == (
        "The rows are in EUR (1 rows), PLN (2 rows), which are not added up. Which currency is kept?"
    )
    assert draft.values["currency"] == "PLN"
    assert draft.values["data"]["orders"]["where"] == "Waluta = 'PLN'"
    assert columns(draft)["currency"] == "Waluta"
    assert "  set aside: 1 filtered" in draft.reasons


@pytest.mark.parametrize(
    ("last", "proposed"),
    [("2024-06-28", "2024-06-29"), ("2024-06-29", "2024-07-01"), ("2024-06-30", "2024-07-01")],
)
def test_as_of_is_proposed_and_asked_never_taken(folder, last, proposed):
    ask = Asked(proposed)
    draft = drafted(folder, f"customer,date,total\na,2024-01-05,1.50\nb,{last},2.50\n", as_of=None, ask=ask)
    assert draft.values["as_of"] == proposed
    assert ask.questions == [
        (
            f"The last row is of {last}, so {proposed} keeps every row. "
            "What is as_of, the first moment not observed?",
            f"--as-of {proposed}",
            proposed,
        )
    ]


def test_dates_and_numbers_that_read_two_ways_are_asked(folder):
    ask = Asked("day", ",")
    text = "customer;date;total\na;01/02/2024;1,250\nb;03/02/2024;2,500\n"
    draft = drafted(folder, text, ask=ask)
    assert [question for question, _, _ in ask.questions] == [
        "date: every date reads both day first and month first (such as '01/02/2024'). "
        "Is the day or the month first?",
        "total: '1,250' reads as 1250 or as 1.25, and no other value decides. "
        "Which sign starts the decimals, . or ,?",
    ]
    table = draft.values["data"]["orders"]
    assert (table["day_first"], table["decimal"]) == (True, ",")


def test_no_money_is_no_currency(folder):
    draft = drafted(folder, "customer,date\na,2024-01-05\nb,2024-01-16\n", currency=None)
    assert columns(draft) == {"customer_id": "customer", "ordered_at": "date"}
    assert "currency" not in draft.values
    assert "  amount       none  (no column of numbers is left)" in draft.reasons


@pytest.mark.parametrize(
    ("client", "how", "message"),
    [
        (
            "../x",
            {},
            "'../x' names a folder under outputs/: use a-z, 0-9, - and _ alone, 64 at most, and no name that "
            "Windows reserves.",
        ),
        ("acme", {"currency": "euro"}, "currency: 'EURO' is no ISO code. Say three capitals, such as EUR."),
        ("acme", {"as_of": "01.07.2024"}, "'01.07.2024' is no date; write it as 2024-07-01."),
        (
            "acme",
            {"given": {"amount": "totl"}},
            "columns maps amount to 'totl', which orders.csv does not have. Did you mean 'total'? "
            "It has ['customer', 'date', 'total'].",
        ),
    ],
)
def test_what_cannot_be_used_is_refused_before_anything_is_written(folder, client, how, message):
    said = {"as_of": "2024-08-01", "currency": "EUR"} | how
    said["given"] = NOTHING | said.get("given", {})
    with pytest.raises((ParamsError, DataError)) as error:
        drafts.draft(client, export(folder, PLAIN), folder=folder, ask=nobody, **said)
    assert str(error.value) == message
    assert not folder.exists()


def test_a_client_file_is_never_overwritten(folder):
    draft = drafted(folder, PLAIN)
    path = drafts.write(draft, folder)
    before = path.read_bytes()
    for again in (lambda: drafts.write(draft, folder), lambda: drafted(folder, PLAIN)):
        with pytest.raises(ParamsError) as error:
            again()
        assert str(error.value) == (
            f"{path} exists and is not overwritten. Give another id, or delete it first."
        )
    assert path.read_bytes() == before


def test_reasons_cannot_steer_a_terminal(folder):
    draft = drafted(folder, PLAIN.replace("b,", "\x1b[2Jb,"))
    assert not any("\x1b" in reason for reason in draft.reasons)


def test_command_shows_its_guesses_and_prints_the_path(folder):
    export(folder, PLAIN)
    said = ["new", "acme", "--orders", "exports/orders.csv", "--as-of", "2024-03-14", "--currency", "EUR"]
    result = CliRunner().invoke(app, said)
    assert result.exit_code == 0, result.output
    assert result.output.splitlines() == [
        "orders.csv: 3 columns",
        "  customer_id  customer  (a known name for it; such as a | b)",
        "  ordered_at   date  (a known name for it; such as 2024-01-05 | 2024-02-20 | 2024-03-13)",
        "  order_id     none  (no known name, so each row is one order; are they lines? Say --order-id)",
        "  amount       total  (a known name for it; such as 10.50 | 20.00 | 30.00)",
        "  currency     EUR  (as you said)",
        "  as_of        2024-03-14  (as you said)",
        "  orders.csv: delimiter ','  (guessed)",
        "  amount: decimal point  (guessed)",
        "Tried: 3 rows read, 3 kept, 3 orders",
        "params/acme.yaml",
    ]


def command(folder, *said):
    line = [sys.executable, "-m", "retention_kit", "new", "acme", "--orders", "exports/orders.csv", *said]
    return subprocess.run(
        line, cwd=folder.parent, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120
    )


def test_where_nobody_can_be_asked_one_line_names_the_option(folder):
    export(folder, PLAIN)
    done = command(folder, "--currency", "EUR")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "retention-kit: The last row is of 2024-03-13, so 2024-03-14 keeps every row. "
        "What is as_of, the first moment not observed? Say --as-of 2024-03-14.\n"
    )
    assert not folder.exists()


def test_a_broken_line_is_one_line_and_nothing_is_written(folder):
    export(folder, PLAIN + "a,2024-02-14,1.00,5.00\n" * 3)
    done = command(folder, "--currency", "EUR", "--as-of", "2024-04-01")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("retention-kit: orders.csv cannot be read as CSV at line 5: ")
    assert done.stderr.count("\n") == 1
    assert not folder.exists()
