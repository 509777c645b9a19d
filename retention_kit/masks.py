"""What would give a customer away in a comment, hidden: addresses, handles, links and long numbers.

Names are not found: no list holds them all, and many are words. So a quote is shown only where somebody has
allowed it.
"""

import re

#: What stands in the place of an address or a handle, of a long number, of a link.
ADDRESS, NUMBER, LINK = "[@]", "[#]", "[↗]"
#: Signs of a quote.
LONGEST = 160

_LONG, _UNBROKEN = 7, 6  # digits from which a number is hidden: with signs between them, and without
_LARGEST_PRICE = 9  # digits
_HYPHENS = r"\-‐‑‒–—−"
_DIGIT = re.compile(r"\d")
_LINK = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
_ADDRESS = re.compile(
    r"[^\s@,;:<>()\[\]\"]{0,254}@[^\W_][\w.-]{0,254}"
    r"|[^\s@,;:<>()\[\]\"]{1,254} ?[(\[](?:at|małpa|malpa|arroba|chiocciola)[)\]] ?[^\W_][\w.-]{0,254}",
    re.IGNORECASE,
)
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]{4}){2,7}(?:[ -]?[A-Z0-9]{1,3})?\b")
_RUN = re.compile(rf"\+?\(?\d(?:[ \u00a0\u202f./()_{_HYPHENS}]{{0,3}}\d)+")
_DATE = re.compile(
    rf"(?<!\d)(?:(?:0?[1-9]|[12]\d|3[01])[./{_HYPHENS}](?:0?[1-9]|1[0-2])[./{_HYPHENS}](?:19|20)\d\d"
    rf"|(?:0?[1-9]|1[0-2])/(?:0?[1-9]|[12]\d|3[01])/(?:19|20)\d\d"
    rf"|(?:19|20)\d\d[./{_HYPHENS}](?:0?[1-9]|1[0-2])[./{_HYPHENS}](?:0?[1-9]|[12]\d|3[01]))(?!\d)"
)
_YEAR = re.compile(r"(?:19|20)\d\d")
_AMOUNT = re.compile(r"\d{1,3}(?:[ .\u00a0\u202f]\d{3})+|\d+(?:\.\d{1,2})?")
_TWO_PRICES = re.compile(rf"\d{{1,4}}\.\d\d ?[{_HYPHENS}] ?\d{{1,4}}\.\d\d")
_MONEY = r"zł|zl|pln|eur|euros?|usd|gbp|chf|czk|kč|sek|nok|dkk|huf|ron|kr|dollars?|pounds?|złot\w*|€|\$|£"
_BEFORE = re.compile(rf"(?:{_MONEY})\s?$", re.IGNORECASE)
_AFTER = re.compile(rf"(?:,\d{{1,2}}|,-)?\s?(?:{_MONEY})(?!\w)", re.IGNORECASE)


def masked(comment: str) -> str:
    """A comment without e-mail addresses, handles, links and long numbers, such as of a phone or a card.

    Years, dates, times and amounts of money stay. What looks like both a phone number and something harmless
    is hidden.

    >>> masked("Call +48 601 234 567 or write to eva+shop@mail.example, it is 12.05.2024!")
    'Call [#] or write to [@], it is 12.05.2024!'
    """
    if "www." in comment.lower() or "://" in comment:
        comment = _LINK.sub(LINK, comment)
    if "@" in comment or "(" in comment or "[" in comment:
        comment = _ADDRESS.sub(_address, comment)
    if _DIGIT.search(comment):
        comment = _RUN.sub(_number, _IBAN.sub(NUMBER, comment))
    return comment


def quote(comment: str, word: str = "", longest: int = LONGEST) -> str:
    """A part of a comment to be shown: masked, `word` in it, and no longer than a sentence or two.

    >>> quote("I waited a week and then another one. The parcel came late and open.", "parcel", longest=34)
    '…The parcel came late and…'
    """
    text = masked(comment)
    if len(text) <= longest:
        return text
    at = max(text.lower().find(word.lower()), 0)
    start = max(0, min(at - longest // 4, len(text) - longest + 2))
    part = text[start : start + longest - 2]
    if start and not text[start - 1].isspace():
        part = part.partition(" ")[2] or part
    ends = start + longest - 2 >= len(text)
    if not ends and not text[start + longest - 2].isspace():
        part = part.rpartition(" ")[0] or part
    return f"{'…' * bool(start)}{part.strip()}{'…' * (not ends)}"


# ---------------------------------------------------------------------------------------------------


def _address(found: re.Match) -> str:
    text = found[0]
    return ADDRESS + text[len(text.rstrip(".")) :]  # a full stop behind it is the sentence's


def _number(found: re.Match) -> str:
    text = found[0]
    return text if _is_harmless(text, found.string[: found.start()], found.string[found.end() :]) else NUMBER


def _is_harmless(text: str, before: str, after: str) -> bool:
    rest = re.findall(r"\d+", _DATE.sub(" ", text))
    digits = sum(map(len, rest))
    if digits < _LONG and not any(len(part) >= _UNBROKEN for part in rest):
        return True
    if all(_YEAR.fullmatch(part) for part in rest) or _TWO_PRICES.fullmatch(text):
        return True
    is_money = _BEFORE.search(before[-12:]) or _AFTER.match(after)
    return bool(is_money and digits <= _LARGEST_PRICE and _AMOUNT.fullmatch(text))
