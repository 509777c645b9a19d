"""What exports call our columns, in five languages, and how good a name is for one of ours."""

import functools
import re
import unicodedata

#: What exports call our columns: English, Polish, German, French, Spanish. Of two columns the one whose
#: name stands in the earlier group is the better guess; in the same group they are equally good.
NAMES = {
    "customer_id": (
        "customer id, customer number, customer no, customer nr, customer key, customer code, cust id, "
        "client id, client number, id klienta, nr klienta, numer klienta, kod klienta, klient id, "
        "Kundennummer, Kundennr, Kunden-ID, Kunde ID, Debitorennummer, id client, numéro client, numéro de "
        "client, n° client, code client, identifiant client, id cliente, número cliente, número de cliente, "
        "nº cliente, código cliente, código de cliente",
        "user id, customer user, member id, member number, household id, household key, shopper id, buyer "
        "id, account id, account number, loyalty id, contact id, external reference, external data "
        "reference, external id, id użytkownika, id kupującego, id "
        "kontrahenta, numer kontrahenta, Benutzer-ID, id utilisateur, id usuario",
        "email, e-mail, customer email, buyer email, user email, email address, billing email, "
        "email billing, contact email, adres email, adres e-mail, email klienta, email kupującego, "
        "E-Mail-Adresse, Kunden-E-Mail, adresse email, adresse e-mail, courriel, "
        "email client, correo, correo electrónico, email cliente",
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
        "gross, line total, line amount, lineitem total, row total, item total, value, subtotal, "
        "wartość pozycji, Zeilensumme, Positionsbetrag, Positionswert, total ligne, montant ligne, "
        "total línea, importe línea",
    ),
    "quantity": (
        "quantity, qty, quantity ordered, qty ordered, quantity purchased, lineitem quantity, units, "
        "ilość, liczba sztuk, Menge, Anzahl, Stückzahl, quantité, qté, cantidad, unidades",
    ),
    "unit_price": (
        "unit price, price per unit, price each, item price, lineitem price, cena jednostkowa, Einzelpreis, "
        "Stückpreis, prix unitaire, precio unitario",
        "price, cena, Preis, prix, precio",
    ),
    "started_at": (
        "started at, start date, start time, start, subscription start, starts at, begin, begin date, "
        "activated at, activated on, started on, data rozpoczęcia, data startu, początek, Startdatum, "
        "Beginn, Vertragsbeginn, date de début, début, fecha inicio, fecha de inicio, inicio",
        "created at, created on, created, signup date, sign up date, joined, joined at, join date",
    ),
    "ended_at": (
        "ended at, end date, end, subscription end, ends at, expires at, expired at, expires on, "
        "data zakończenia, koniec, Enddatum, Ende, "
        "Vertragsende, date de fin, fin, fecha fin, fecha de fin",
        "cancelled at, canceled at, cancelled on, canceled on, cancellation date, churn date, churned at, "
        "data rezygnacji, Kündigungsdatum, date de résiliation, fecha de baja",
    ),
    "mrr": (
        "mrr, monthly amount, monthly fee, monthly price, monthly revenue, monthly recurring revenue, opłata "
        "miesięczna, Monatsbeitrag, Monatsgebühr, mensualité, cuota mensual",
        "amount, price, fee, plan amount, cena, kwota, abonament, Betrag, Preis, montant, prix, importe, "
        "precio",
    ),
    "plan": (
        "plan, plan name, current plan, tariff, tier, subscription type, membership, taryfa, pakiet, Tarif, "
        "Paket, forfait, tarifa",
        "product, product id, product identifier, plan id, plan code, produkt, Produkt, produit, producto",
    ),
    "cancel_reason": (
        "cancel reason, cancellation reason, churn reason, powód rezygnacji, Kündigungsgrund, motif de "
        "résiliation, motivo de baja",
        "reason, reason code, powód, Grund, motif, motivo",
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
        "timestamp, date, datetime, created at, date created, completed at, data, Datum, fecha, "
        "sygnatura czasowa, Zeitstempel, horodateur, marca temporal",
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
# Names known also within a longer one, and of how many words they are then at least: surveys name columns by
# their questions, "How likely are you to recommend us?".
_WITHIN = {**dict.fromkeys(("customer_id", "order_id", "ordered_at"), 2), "score": 1, "comment": 1}


@functools.cache
def _known(name: str) -> dict[tuple[str, ...], int]:
    return {words(each): rank for rank, group in enumerate(NAMES[name]) for each in group.split(", ")}


def rank(name: str, column: str) -> int | None:
    """How good a column's name is for one of ours: 0 the best, 10 and more with words around it.

    >>> rank("amount", "Order total"), rank("score", "Would you recommend us?"), rank("plan", "Colour")
    (0, 11, None)
    """
    said = words(column)
    if name in ("amount", "unit_price"):
        said = tuple(word for word in said if word not in _BESIDE) or said
    exact = [rank for known, rank in _known(name).items() if "".join(known) == "".join(said)]
    if exact or name not in _WITHIN:
        return min(exact, default=None)
    around = f" {' '.join(said)} "
    phrases = [(" ".join(known), rank) for known, rank in _known(name).items() if len(known) >= _WITHIN[name]]
    return min((10 + rank for phrase, rank in phrases if f" {phrase} " in around), default=None)


def words(text: str) -> tuple[str, ...]:
    """A name's words without case, accents and signs.

    >>> words("CustomerID"), words("Nr zamówienia"), words("E-Mail (Billing)")
    (('customer', 'id'), ('nr', 'zamowienia'), ('e', 'mail', 'billing'))
    """
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", text.translate(_LETTERS))
    plain = unicodedata.normalize("NFKD", spaced).encode("ascii", "ignore").decode().lower()
    return tuple(re.findall(r"[a-z0-9]+", plain))
