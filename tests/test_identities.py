"""Identity: long ids, leading zeros, case and blanks, one person under several ids, one id an order."""

import datetime as dt
from pathlib import Path
from typing import Any

import ibis
import pandas as pd
import pytest

from retention_kit import drafts, identities, params, tables
from retention_kit.exceptions import DataError, ParamsError

AS_OF = "2025-01-01"


def orders(*customers: Any) -> pd.DataFrame:
    return pd.DataFrame(
        {"customer_id": list(customers), "ordered_at": pd.date_range("2024-03-13", periods=len(customers))}
    )


def people(source: Any, **how: Any) -> list[str]:
    return sorted(tables.load_orders(source, as_of=AS_OF, **how).table.customer_id.execute())


def warnings(source: Any, **how: Any) -> list[str]:
    loaded = tables.load_orders(source, as_of=AS_OF, **how)
    return [note.text for note in loaded.notes if note.level == "warning"]


LONG = (9007199254740993, 9007199254740992, 123456789012345678)


def test_ids_above_2_to_the_53_stay_apart(tmp_path: Path) -> None:
    frame = orders(*LONG)
    frame.to_csv(tmp_path / "a.csv", index=False)
    frame.to_parquet(tmp_path / "a.parquet")
    frame.to_json(tmp_path / "a.jsonl", orient="records", lines=True, date_format="iso")
    for source, how in ((frame, {}), ("a.csv", {}), ("a.parquet", {}), ("a.jsonl", {"timezone": "UTC"})):
        found = people(tmp_path / source if isinstance(source, str) else source, **how)
        assert found == sorted(map(str, LONG))


def test_long_ids_that_excel_has_rounded_are_told(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    orders(*LONG).astype({"customer_id": float}).to_excel(path, index=False, engine="xlsxwriter")
    assert any("kept as a number with decimals, as Excel does" in text for text in warnings(path))
    assert not any("Excel" in text for text in warnings(orders(1042.0, 7.0)))


def test_leading_zeros_case_and_blanks_are_kept_and_told() -> None:
    frame = orders("007", "7", "A-1", "a-1 ", "b 2", "B2", "c")
    assert people(frame) == ["007", "7", "A-1", "B2", "a-1", "b 2", "c"]
    told = [text for text in warnings(frame) if "leading zeros" in text]
    assert told == [
        "6 ids are those of 3 customers but for case, blanks or leading zeros, such as '007' and '7': "
        "one person each? Then say ids: alike."
    ]


@pytest.mark.parametrize(
    ("ids", "bare"),
    [
        *((ids, True) for ids in (["a-1", None, "7"], ["A-1", "B70"], ["null", "x"])),
        *((ids, False) for ids in (["A", "b"], ["Ab"], ["b 2"], ["007"], ["c "])),
    ],
)
def test_bare_ids_are_known_and_not_compared(ids: list, bare: bool) -> None:
    frame = orders(*ids).astype({"customer_id": "str"})
    assert identities.written(ibis.memtable(frame), often=True).bare is bare
    asked = []
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(identities, "notes", lambda kept: asked.append(kept) or ())
        tables.load_orders(frame, as_of=AS_OF)
    assert len(asked) == (not bare)


def test_columns_of_ids_that_need_not_be_filled_are_known() -> None:
    frame = orders("a", "b").assign(order_id=["1", "NA"], other="x ")
    assert identities.written(ibis.memtable(frame), often=False).filled == {"customer_id"}
    assert identities.written(ibis.memtable(orders(1, 2)), often=True) == (frozenset(), False)
    assert identities.written(ibis.memtable(frame.iloc[:0]), often=True) == (frozenset(), False)
    elsewhere = ibis.duckdb.connect().create_table("elsewhere", frame)
    assert identities.written(elsewhere, often=False) == (frozenset(), False)
    assert identities.written(elsewhere, often=True) == ({"customer_id"}, True)


def test_two_ids_of_one_customer_are_told_in_the_singular() -> None:
    [told] = [text for text in warnings(orders("007", "7", "c")) if "leading zeros" in text]
    assert told.startswith("2 ids are those of one customer but for case, blanks or leading zeros, such as")


def test_ids_that_are_alike_are_one_where_it_is_said() -> None:
    frame = orders("007", "7", "A-1", "a-1 ", "b 2", "B2", "c", "00")
    assert people(frame, ids="alike") == ["0", "7", "7", "a-1", "a-1", "b2", "b2", "c"]
    assert not any("leading zeros" in text for text in warnings(frame, ids="alike"))


def test_one_person_under_several_ids_by_a_mapping_file(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("other_id,customer_id\nb,a\nC,a\nx,y\n")
    loaded = tables.load_orders(
        orders("a", "b", "C", "d"), as_of=AS_OF, same_customer=tmp_path / "people.csv"
    )
    assert sorted(loaded.table.customer_id.execute()) == ["a", "a", "a", "d"]
    assert "Another id of the same person stands for 2 customers: 3 ids in all." in [
        note.text for note in loaded.notes
    ]
    alike = people(orders("A", "B"), ids="alike", same_customer=tmp_path / "people.csv")
    assert alike == ["a", "a"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "old,new\na,b\n",
            "same_customer: people.csv is missing ['other_id', 'customer_id']. It has ['old', 'new']. "
            "It needs other_id and customer_id: an id, and the one that counts for the same person.",
        ),
        (
            "other_id,customer_id\na,b\na,c\n",
            "same_customer: people.csv gives 'a' to more than one customer. Keep one.",
        ),
        (
            "other_id,customer_id\na,b\nb,c\n",
            "same_customer: people.csv maps 'a' to 'b', which is mapped to another itself. "
            "Map each to the one that counts.",
        ),
    ],
)
def test_a_mapping_that_is_none_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "people.csv").write_text(text)
    with pytest.raises(DataError) as refused:
        people(orders("a"), same_customer=tmp_path / "people.csv")
    assert str(refused.value) == message


def test_a_client_file_names_the_mapping_beside_it(tmp_path: Path) -> None:
    orders("a", "b").to_csv(tmp_path / "a.csv", index=False)
    (tmp_path / "people.csv").write_text("other_id,customer_id\nb,a\n")
    (tmp_path / "acme.yaml").write_text(
        "as_of: 2025-01-01\ndata: {orders: {source: a.csv, same_customer: people.csv}}\n"
    )
    loaded = tables.load(params.read(tmp_path / "acme.yaml"), "orders")
    assert loaded.table.customer_id.execute().tolist() == ["a", "a"]


def test_a_household_beside_a_person_is_told_by_the_guide(tmp_path: Path) -> None:
    rows = [
        f"p{number % 9},h{number % 4},{dt.date(2024, 1, 13) + dt.timedelta(number)},5.50"
        for number in range(40)
    ]
    path = tmp_path / "a.csv"
    path.write_text("\n".join(["customer_id,household_key,date,total", *rows]))

    def nobody(question: str, option: str, default: str) -> str:
        raise ParamsError(question)

    said: dict[str, Any] = {"as_of": AS_OF, "currency": "EUR", "folder": tmp_path, "ask": nobody}
    draft = drafts.draft("acme", path, given={}, **said)
    assert (
        "  note: household_key says who too (4 ids beside 9 in the rows looked at). A household or a person? "
        "Say --customer-id for the other."
    ) in draft.reasons
    other = drafts.draft("acme", path, given={"customer_id": "household_key"}, **said)
    assert other.values["data"]["orders"]["columns"]["customer_id"] == "household_key"
