"""What the names and the values of an export's columns say of what they hold."""

import functools
import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb
import pandas as pd

from retention_kit import blanks
from retention_kit.dialects import complaint
from retention_kit.exceptions import DataError
from retention_kit.opened import Source

# What exports call our columns: English, Polish, German, French, Spanish. Of two columns the one whose
# name stands in the earlier group is the better guess; in the same group they are equally good.
_NAMES = {
    "customer_id": (
        "customer id, customer number, customer no, customer nr, customer key, customer code, cust id, "
        "client id, client number, id klienta, nr klienta, numer klienta, kod klienta, klient id, "
        "Kundennummer, Kundennr, Kunden-ID, Kunde ID, Debitorennummer, id client, numéro client, numéro de "
        "client, n° client, code client, identifiant client, id cliente, número cliente, número de cliente, "
        "nº cliente, código cliente, código de cliente",
        "user id, customer user, member id, member number, household id, household key, shopper id, buyer "
        "id, account id, account number, loyalty id, contact id, id użytkownika, id kupującego, id "
        "kontrahenta, numer kontrahenta, Benutzer-ID, id utilisateur, id usuario",
        "email, e-mail, customer email, user email, email address, billing email, email billing, contact "
        "email, adres email, adres e-mail, email klienta, email kupującego, E-Mail-Adresse, Kunden-E-Mail, "
        "adresse email, adresse e-mail, courriel, email client, correo, correo electrónico, email cliente",
        "customer, client, user, buyer, member, account, household, klient, kupujący, kontrahent, nabywca, "
        "Kunde, Käufer, Besteller, acheteur, cliente, comprador, usuario",
    ),
    "ordered_at": (
        "ordered at, order date, order time, order datetime, order timestamp, purchase date, purchased at, "
        "date ordered, data zamówienia, data złożenia zamówienia, data zakupu, Bestelldatum, bestellt am, "
        "Auftragsdatum, Kaufdatum, date commande, date de commande, date de la commande, date achat, date "
        "d'achat, fecha pedido, fecha de pedido, fecha del pedido, fecha compra, fecha de compra",
        "created at, date created, created, transaction date, transaction timestamp, transaction time, "
        "invoice date, sale date, data utworzenia, data transakcji, data sprzedaży, data faktury, data "
        "wystawienia, erstellt am, Rechnungsdatum, Verkaufsdatum, Belegdatum, date de création, date "
        "facture, date de facture, date de vente, fecha creación, fecha de creación, fecha factura, fecha "
        "de factura, fecha venta, fecha de venta",
        "date, datetime, timestamp, day, data, Datum, fecha",
    ),
    "order_id": (
        "order id, order number, order no, order nr, order key, order code, increment id, basket id, nr "
        "zamówienia, numer zamówienia, id zamówienia, Bestellnummer, Bestellnr, Bestell-ID, Auftragsnummer, "
        "Auftragsnr, numéro commande, numéro de commande, n° commande, n° de commande, id commande, "
        "référence commande, número pedido, número de pedido, nº pedido, nº de pedido, id pedido",
        "invoice no, invoice number, invoice id, transaction id, transaction number, receipt number, "
        "receipt id, nr faktury, numer faktury, id transakcji, nr paragonu, numer paragonu, "
        "Rechnungsnummer, Rechnungsnr, Belegnummer, Belegnr, numéro facture, numéro de facture, n° facture, "
        "número factura, número de factura",
        "order, basket, invoice, receipt, transaction, zamówienie, faktura, paragon, Bestellung, Auftrag, "
        "Rechnung, commande, facture, pedido, factura, name",
        "id",
    ),
    "amount": (
        "amount, total, order total, order amount, order value, order total amount, total amount, total "
        "price, grand total, grand total base, grand total purchased, sales value, sales amount, revenue, "
        "sales, turnover, kwota, wartość, wartość zamówienia, kwota zamówienia, razem, suma, do zapłaty, "
        "Betrag, Gesamtbetrag, Bestellwert, Summe, Gesamtsumme, Gesamt, Umsatz, montant, montant total, "
        "montant commande, importe, importe total, monto, total pedido",
        "line total, line amount, lineitem total, row total, item total, value, subtotal, wartość pozycji, "
        "Zeilensumme, Positionsbetrag, Positionswert, total ligne, montant ligne, total línea, importe "
        "línea",
    ),
    "quantity": (
        "quantity, qty, quantity ordered, qty ordered, lineitem quantity, units, ilość, liczba sztuk, "
        "Menge, Anzahl, Stückzahl, quantité, qté, cantidad, unidades",
    ),
    "unit_price": (
        "unit price, price per unit, price each, item price, lineitem price, cena jednostkowa, Einzelpreis, "
        "Stückpreis, prix unitaire, precio unitario",
        "price, cena, Preis, prix, precio",
    ),
    "started_at": (
        "started at, start date, start, subscription start, starts at, begin, begin date, activated at, data "
        "rozpoczęcia, data startu, początek, Startdatum, Beginn, Vertragsbeginn, date de début, début, fecha "
        "inicio, fecha de inicio, inicio",
        "created at, created, signup date, sign up date, joined, joined at, join date",
    ),
    "ended_at": (
        "ended at, end date, end, subscription end, ends at, data zakończenia, koniec, Enddatum, Ende, "
        "Vertragsende, date de fin, fin, fecha fin, fecha de fin",
        "cancelled at, canceled at, cancelled on, canceled on, cancellation date, churn date, churned at, "
        "expired at, data rezygnacji, Kündigungsdatum, date de résiliation, fecha de baja",
    ),
    "mrr": (
        "mrr, monthly amount, monthly fee, monthly price, monthly revenue, monthly recurring revenue, opłata "
        "miesięczna, Monatsbeitrag, Monatsgebühr, mensualité, cuota mensual",
        "amount, price, fee, plan amount, cena, kwota, abonament, Betrag, Preis, montant, prix, importe, "
        "precio",
    ),
    "plan": (
        "plan, plan name, tariff, tier, subscription type, membership, taryfa, pakiet, Tarif, Paket, "
        "forfait, tarifa",
        "product, produkt, Produkt, produit, producto",
    ),
    "cancel_reason": (
        "cancel reason, cancellation reason, churn reason, powód rezygnacji, Kündigungsgrund, motif de "
        "résiliation, motivo de baja",
        "reason, powód, Grund, motif, motivo",
    ),
    "score": (
        "score, nps, nps score, ocena nps, wynik nps",
        "rating, ocena, Bewertung, recommend, polecisz, polecił, poleciłby, polecił byś, empfehlen, "
        "weiterempfehlen, recommander, recommanderiez, recomendar, recomendaría",
    ),
    "responded_at": (
        "responded at, response date, submitted at, submit date, submit date utc, submission date, "
        "answered at, date submitted, data odpowiedzi, data wypełnienia, Antwortdatum, date de "
        "réponse, fecha respuesta",
        "timestamp, date, datetime, created at, completed at, data, Datum, fecha, sygnatura czasowa, "
        "Zeitstempel, horodateur, marca temporal",
    ),
    "comment": (
        "comment, comments, feedback, verbatim, komentarz, komentarze, uwagi, Kommentar, commentaire, "
        "comentario",
        "reason, why, explanation, explication, dlaczego, Begründung, warum, pourquoi, por qué",
    ),
    "occurred_at": (
        "occurred at, event time, event date, event timestamp, happened at, data zdarzenia",
        "timestamp, time, created at, date, datetime, day, data, Datum, fecha",
    ),
    "event": (
        "event, event name, event type, zdarzenie, Ereignis, événement, evento",
        "action, activity, type, akcja, Aktion, acción",
    ),
    "currency": (
        "currency, currency code, order currency, waluta, Währung, Waehrung, devise, moneda, divisa",
    ),
}
# Words that say how a sum is written, not what it is: both of "Total TTC" and "Total HT" are totals.
_BESIDE = {
    *("eur", "usd", "gbp", "pln", "chf", "czk", "sek", "nok", "dkk", "huf", "ron", "zl"),
    *("gross", "net", "brutto", "netto", "ttc", "ht", "incl", "excl", "inkl"),
}
_LETTERS = str.maketrans({"ł": "l", "Ł": "L", "ß": "ss", "ø": "o", "Ø": "O", "đ": "d", "æ": "ae", "œ": "oe"})
_DATE = (
    r"^(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](?:\d{4}|\d{2})|(?:19|20)\d{2}[01]\d[0-3]\d"
    r"|(?:[A-Z][a-z]+, )?(?:\d{1,2}[ -][A-Z][a-z]{2,8}[ -]\d{2,4}|[A-Z][a-z]{2,8} \d{1,2},? \d{4}))"
    r"(?:,?[ T]\d.*)?$"
)
_NUMBER = r"^[+-]?[\d.,'’\s]*\d[.,]?$"
_DECIMALS = r"[.,]\d{1,2}$"
_DIGIT = r"\d"
_SCORE = r"^\d{1,3}(?:\D*|[.,]\d+)$"  # 9, or "9 - likely"
_SCORES = [str(number) for number in range(11)]
_PLAIN = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*$")
_LONGEST = 40  # characters of a sample
_IDS = ("customer_id", "order_id")
# Names known also within a longer one, and of how many words they are then at least: surveys name columns by
# their questions, "How likely are you to recommend us?".
_WITHIN = {**dict.fromkeys((*_IDS, "ordered_at"), 2), "score": 1, "comment": 1}
_SAMPLE = 5_000  # rows looked at
_MOST = 0.8  # of a column's filled values
_SEVERAL = 3  # orders of several lines that can tell a total from a line's amount


@dataclass(frozen=True)
class Column:
    """What a sample says of one column of the export."""

    name: str
    cells: pd.Series = field(repr=False)  # as text, blanks dropped
    filled: float
    is_date: bool
    is_number: bool
    has_decimals: bool
    has_digits: bool

    @property
    def samples(self) -> str:
        """Three of its values, as a terminal can show them."""
        return " | ".join(printable(cell)[:_LONGEST] for cell in self.cells.unique()[:3])


def printable(text: str) -> str:
    r"""Text from a file without the signs that steer a terminal.

    >>> printable("Ann\x1b[2J")
    'Ann?[2J'
    """
    return "".join(sign if sign.isprintable() else "?" for sign in text)


def look(source: Source) -> dict[str, Column]:
    """What a sample of a source says of each of its columns.

    Raises
    ------
    DataError
        When it has no rows or cannot be read.
    """
    try:
        frame = source.table(list(source.columns)).limit(_SAMPLE).to_pandas()
    except duckdb.Error as error:
        raise DataError(complaint(source.name, error)) from None
    if frame.empty:
        raise DataError(f"{source.name} has no rows. Export it again, or give another file.")
    return {name: _column(name, frame[name]) for name in source.columns}


def named(name: str, columns: Iterable[Column]) -> list[Column]:
    """The columns with the best of the names known for one of ours, whose values could be it."""
    ranked = [(_rank(name, column.name), column) for column in columns if _FITS[name](column)]
    best = min((rank for rank, _ in ranked if rank is not None), default=None)
    return [column for rank, column in ranked if rank is not None and rank == best]


def known(name: str, columns: Iterable[Column]) -> list[Column]:
    """All columns with a name that is known for one of ours, the best and the others."""
    return [column for column in columns if _FITS[name](column) and _rank(name, column.name) is not None]


def fitting(name: str, columns: Iterable[Column]) -> list[Column]:
    """The columns whose values could be one of ours, whatever their names."""
    return [column for column in columns if _FITS[name](column)]


def likely(name: str, columns: Iterable[Column]) -> list[Column]:
    """Of columns without a name known for one of ours, those whose values are most like it."""
    others = [other for other in _NAMES if other != name]
    unnamed = [c for c in columns if not any(_rank(other, c.name) is not None for other in others)]
    return [column for column in unnamed if _FITS[name](column) and _LIKELY[name](column)]


def product(columns: Sequence[Column]) -> str:
    """Quantity times unit price as an expression, or "" where there is not one column of each."""
    factors = [*named("quantity", columns), *named("unit_price", columns)]
    kinds = {_rank("quantity", column.name) is None for column in factors}
    return " * ".join(quoted(column.name) for column in factors) if len(factors) == len(kinds) == 2 else ""


def quoted(name: str) -> str:
    """A column's name as an SQL expression needs it.

    >>> quoted("UnitPrice"), quoted("Cena jednostkowa")
    ('UnitPrice', '"Cena jednostkowa"')
    """
    return name if _PLAIN.match(name) else '"' + name.replace('"', '""') + '"'


def is_repeated(order: Column, amount: Column) -> bool:
    """Whether an amount looks like an order's total, written again on each of the order's lines."""
    lines = pd.DataFrame({"order": order.cells, "amount": amount.cells}).dropna()
    by_order = lines.groupby("order")["amount"].agg(["size", "nunique"])
    several = by_order[by_order["size"] > 1]
    return len(several) >= _SEVERAL and bool((several["nunique"] == 1).all())


def same(name: str, one: Column, other: Column) -> bool:
    """Whether two columns say the same: equal sums and moments, ids that go together one to one."""
    if name not in _IDS:
        return one.cells.equals(other.cells)
    if not one.cells.index.equals(other.cells.index):
        return False
    pairs = pd.DataFrame({"one": one.cells, "other": other.cells}).drop_duplicates()
    return len(pairs) == pairs["one"].nunique() == pairs["other"].nunique()


# -- values ----------------------------------------------------------------------


def _column(name: str, cells: pd.Series) -> Column:
    text = cells.dropna().map(_text).astype("str")
    text = text[~text.isin(blanks.WORDS)]
    is_number = _mostly(text, _NUMBER)
    return Column(
        name=name,
        cells=text,
        filled=len(text) / len(cells),
        is_date=_mostly(text, _DATE),
        is_number=is_number,
        has_decimals=is_number and bool(text.str.contains(_DECIMALS).any()),
        has_digits=_mostly(text, _DIGIT),
    )


def _text(cell: Any) -> str:
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip().removesuffix(" 00:00:00")


def _mostly(text: pd.Series, pattern: str) -> bool:
    return len(text) > 0 and bool(text.str.contains(pattern).mean() >= _MOST)


def _could_be_id(column: Column) -> bool:
    return column.filled > 0 and not column.is_date and not column.has_decimals


def _could_be_number(column: Column) -> bool:
    return column.is_number and not column.is_date


def _comes_back(column: Column) -> bool:
    return 0.02 < column.cells.nunique() / len(column.cells) < 0.95


# What the values of a column must be like to be ours, whatever its name.
_FITS: dict[str, Callable[[Column], bool]] = {
    "customer_id": _could_be_id,
    "ordered_at": lambda column: column.is_date,
    "order_id": lambda column: _could_be_id(column) and column.has_digits and column.filled >= _MOST,
    **dict.fromkeys(("amount", "quantity", "unit_price", "mrr"), _could_be_number),
    **dict.fromkeys(("occurred_at", "started_at", "responded_at"), lambda column: column.is_date),
    # Where everybody is still there, nothing ended.
    "ended_at": lambda column: column.is_date or column.filled == 0,
    "score": lambda column: _mostly(column.cells, _SCORE),
    **dict.fromkeys(("plan", "cancel_reason", "event"), lambda column: not column.is_date),
    "comment": lambda column: not column.is_date and not column.is_number,
    "currency": lambda column: column.filled > 0 and not column.has_digits,
}
# What they must be like where no name is known.
_LIKELY: dict[str, Callable[[Column], bool]] = {
    "customer_id": lambda column: column.has_digits and _comes_back(column),
    **dict.fromkeys(("ordered_at", "occurred_at", "started_at", "responded_at"), lambda column: True),
    "ended_at": lambda column: 0 < column.filled < 1,
    **dict.fromkeys(("amount", "mrr"), lambda column: column.has_decimals),
    "score": lambda column: column.is_number and bool(column.cells.isin(_SCORES).all()),
}

# -- names -----------------------------------------------------------------------


@functools.cache
def _known(name: str) -> dict[tuple[str, ...], int]:
    return {_words(each): rank for rank, group in enumerate(_NAMES[name]) for each in group.split(", ")}


def _rank(name: str, column: str) -> int | None:
    """How good a column's name is for one of ours: 0 the best, 10 and more with words around it."""
    words = _words(column)
    if name in ("amount", "unit_price"):
        words = tuple(word for word in words if word not in _BESIDE) or words
    exact = [rank for known, rank in _known(name).items() if "".join(known) == "".join(words)]
    if exact or name not in _WITHIN:
        return min(exact, default=None)
    around = f" {' '.join(words)} "
    phrases = [(" ".join(known), rank) for known, rank in _known(name).items() if len(known) >= _WITHIN[name]]
    return min((10 + rank for phrase, rank in phrases if f" {phrase} " in around), default=None)


def _words(text: str) -> tuple[str, ...]:
    """A name's words without case, accents and signs.

    >>> _words("CustomerID"), _words("Nr zamówienia"), _words("E-Mail (Billing)")
    (('customer', 'id'), ('nr', 'zamowienia'), ('e', 'mail', 'billing'))
    """
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", text.translate(_LETTERS))
    plain = unicodedata.normalize("NFKD", spaced).encode("ascii", "ignore").decode().lower()
    return tuple(re.findall(r"[a-z0-9]+", plain))
