"""Client files: what they say, and one line with file and line for every mistake."""

from pathlib import Path

import pytest

from retention_kit import catalogues, params, yamls
from retention_kit.exceptions import ParamsError

ACME = """\
client: acme
title: Acme
currency: EUR
as_of: 2024-07-01
data:
  orders:
    source: data/orders.csv
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty `params/` in a folder of its own, which is the current one."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params" / "examples").mkdir(parents=True)
    return tmp_path / "params"


def read(folder: Path, text: str, **how: str) -> params.Client:
    (folder / "acme.yaml").write_text(text, encoding="utf-8")
    return params.read("acme", **how)


def refusal(folder: Path, text: str, **how: str) -> str:
    with pytest.raises(ParamsError) as refused:
        read(folder, text, **how)
    return str(refused.value)


def test_a_file_with_nothing_special(folder: Path) -> None:
    client = read(folder, ACME)
    assert (client.client, client.title, client.as_of, client.currency) == (
        "acme",
        "Acme",
        "2024-07-01",
        "EUR",
    )
    assert (client.period, client.language) == ("month", "en")
    assert client.table("orders").how() == {"source": str(folder / "data/orders.csv"), "columns": {}}


def test_name_and_title_come_from_the_file(folder: Path) -> None:
    client = read(folder, "as_of: 2024-07-01\ndata: demo\n")
    assert (client.client, client.title) == ("acme", "Acme")


def test_defaults_lie_under_each_file_and_the_file_wins(folder: Path) -> None:
    (folder / "_defaults.yaml").write_text(
        "period: week\ncurrency: PLN\noptions:\n  nps: {by: a, scale: b}\n"
    )
    client = read(folder, ACME + "options:\n  nps: {by: c}\n")
    assert (client.period, client.currency) == ("week", "EUR")
    assert client.options == {"nps": {"by": "c", "scale": "b"}}
    (folder / "examples" / "deep.yaml").write_text("as_of: 2024-07-01\ndata: demo\n")
    assert params.read("deep").period == "week"
    assert [path.name for path in params.client_files(folder)] == ["acme.yaml"]


@pytest.mark.parametrize("client", ["acme", "params/acme.yaml", Path("params/acme.yaml")])
def test_a_client_is_named_by_id_or_path_from_here_or_below(
    folder: Path, client: str | Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read(folder, ACME)
    assert params.read(client).client == "acme"
    (folder.parent / "notebooks").mkdir()
    monkeypatch.chdir(folder.parent / "notebooks")
    assert params.read("acme").client == "acme"


def test_demo_is_all_tables_of_the_invented_company(folder: Path) -> None:
    client = read(folder, "as_of: 2024-07-01\ndata: demo\n")
    assert [client.table(kind).source for kind in params.KINDS] == [f"demo://{kind}" for kind in params.KINDS]
    assert client.chosen == list(params.CHAPTERS)
    assert client.left_out == {}


@pytest.mark.parametrize(
    ("chapters", "chosen"),
    [("", ["retention", "clv"]), ("chapters: []\n", ["retention", "clv"]), ("chapters: [clv]\n", ["clv"])],
)
def test_chapters_are_those_named_or_all_that_have_their_table(
    folder: Path, chapters: str, chosen: list
) -> None:
    client = read(folder, ACME + chapters)
    assert client.chosen == chosen
    assert client.left_out == {"churn": "subscriptions", "nps": "responses"}


@pytest.mark.parametrize(
    ("source", "resolved"),
    [
        ("data/orders.csv", "{folder}/data/orders.csv"),
        ("'data/*.csv'", "{folder}/data/*.csv"),
        ("/abs/orders.csv", "/abs/orders.csv"),
        ("package://a/b.csv", "package://a/b.csv"),
        ("'exports/{as_of:%Y-%m}/orders_{as_of}.csv'", "{folder}/exports/2024-07/orders_2024-07-01.csv"),
        ("${EXPORTS}/orders.csv", "/secret/{{as_of}}/orders.csv"),
        ("${EXPORTS", "{folder}/${{EXPORTS"),
    ],
)
def test_sources_are_resolved(
    folder: Path, source: str, resolved: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What comes from the environment is not looked into again.
    monkeypatch.setenv("EXPORTS", "/secret/{as_of}")
    client = read(folder, ACME.replace("data/orders.csv", source))
    assert client.table("orders").source == resolved.format(folder=folder)


def test_a_variable_reaches_the_source_and_nothing_else(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXPORTS", "hunter2")
    text = ACME.replace("Acme", "${EXPORTS}").replace("data/orders.csv", "${EXPORTS}/o.csv")
    client = read(folder, text + "    origin: ${EXPORTS}\n    where: a = '${EXPORTS}'\nnotes: ${EXPORTS}\n")
    told = client.model_dump()
    assert told["data"]["orders"].pop("source") == f"{folder}/hunter2/o.csv"
    assert "hunter2" not in str(told)


@pytest.mark.parametrize("value", [None, ""])
def test_a_variable_that_is_not_set(folder: Path, value: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EXPORTS", raising=False)
    if value is not None:
        monkeypatch.setenv("EXPORTS", value)
    text = ACME.replace("data/orders.csv", "${EXPORTS}/o.csv")
    message = "acme.yaml line 7: the environment variable EXPORTS is not set. Type: export EXPORTS=..."
    assert refusal(folder, text) == message
    assert refusal(folder, text + "    origin: the shop's FTP\n") == f"{message} The data: the shop's FTP"


def test_as_of_can_be_given_from_outside(folder: Path) -> None:
    assert read(folder, ACME, as_of="2024-08-01").as_of == "2024-08-01"
    assert read(folder, ACME.replace("as_of: 2024-07-01\n", ""), as_of="2024-08-01").as_of == "2024-08-01"
    # The mistake is not on a line of the file then.
    assert (
        refusal(folder, ACME, as_of="soon") == "acme.yaml: as_of: 'soon' is no date; write it as 2024-07-01."
    )


def test_yes_and_no_are_read_where_true_or_false_is_meant(folder: Path) -> None:
    assert read(folder, ACME + "    day_first: no\n").table("orders").day_first is False


KEYS = (
    "client, title, as_of, currency, language, period, prepared_by, notes, brand, data, chapters, "
    "thresholds, playbook, show_customers, codeframe, options, explain, benchmarks"
)
TABLE_KEYS = (
    "source, table, query, preset, columns, where, timezone, sheet, encoding, delimiter, quote, decimal, "
    "day_first, ids, same_customer, overlaps, origin"
)
UNSAFE = (
    "names a folder under outputs/: use a-z, 0-9, - and _ alone, 64 at most, "
    "and no name that Windows reserves."
)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "currency",
            "curency",
            f"line 3: unknown key 'curency'. Did you mean 'currency'? Known keys: {KEYS}.",
        ),
        (
            "orders:",
            "order:",
            "line 6: unknown key 'order'. Did you mean 'orders'? Known keys: orders, events, subscriptions, "
            "responses, customers, invitations.",
        ),
        (
            "    source",
            "    colums: {}\n    source",
            f"line 7: unknown key 'colums'. Did you mean 'columns'? Known keys: {TABLE_KEYS}.",
        ),
        ("client: acme", "client: ../x", f"line 1: client: '../x' {UNSAFE}"),
        ("client: acme", "client: con", f"line 1: client: 'con' {UNSAFE}"),
        ("client: acme", "client: Acme", f"line 1: client: 'Acme' {UNSAFE}"),
        ("title: Acme", "title: 2024", "line 2: title: must be text; put it in quotes; it is 2024."),
        ("title: Acme", "title:", "line 2: title is empty."),
        ("EUR", "euro", "line 3: 'euro' is no currency; write three capital letters, such as EUR."),
        ("2024-07-01", "soon", "line 4: as_of: 'soon' is no date; write it as 2024-07-01."),
        ("2024-07-01", "20240701", "line 4: as_of: must be text; put it in quotes; it is 20240701."),
        (
            "2024-07-01",
            "2024-07-01T00:00Z",
            "line 4: as_of: '2024-07-01T00:00Z' has a time zone; write the local date, as 2024-07-01.",
        ),
        (
            "as_of: 2024-07-01\n",
            "",
            ": as_of is missing, the first moment not observed. Add a line such as as_of: "
            "2024-07-01, or say --as-of 2024-07-01.",
        ),
        (
            "data/orders.csv",
            "a.csv\nperiod: months",
            "line 8: period: must be 'week', 'week_saturday', 'week_sunday', 'month' or 'quarter'; "
            "it is 'months'.",
        ),
        (
            "data/orders.csv",
            "a.csv\n    decimal: ;",
            "line 8: data.orders.decimal: must be '.' or ','; it is ';'.",
        ),
        ("data/orders.csv", "", "line 7: data.orders.source is empty."),
        ("data/orders.csv", "''", "line 7: data.orders.source is empty."),
        (
            "data/orders.csv",
            "a.csv\n    columns: [a]",
            "line 8: data.orders.columns: must be keys and values; it is ['a'].",
        ),
        (
            "data/orders.csv",
            "a.csv\n    columns: {amount: 7}",
            "line 8: data.orders.columns.amount: must be text; put it in quotes; it is 7.",
        ),
        ("    source: data/orders.csv", "    where: a", "line 6: data.orders.source is missing."),
        (
            "orders:\n    source: data/orders.csv",
            "orders: a.csv",
            "line 6: data.orders: must be keys and values, such as {source: a.csv}; it is 'a.csv'.",
        ),
        (
            "orders:\n    source",
            "customers:\n    source",
            ": data names no table that a chapter could read; give one of ['orders', 'events', "
            "'subscriptions', 'responses'].",
        ),
        (
            "data:\n  orders:\n    source: data/orders.csv\n",
            "data: demmo\n",
            "line 5: data: 'demmo' is neither demo nor a list of tables (orders, events, subscriptions, "
            "responses, customers, invitations).",
        ),
        ("data:\n  orders:\n    source: data/orders.csv\n", "", ": data is missing."),
        (
            "data/orders.csv",
            "a.csv\nchapters: [retension]",
            "line 8: chapters: 'retension' is no chapter. Did you mean 'retention'? Choose of "
            "['retention', 'churn', 'nps', 'clv'].",
        ),
        (
            "data/orders.csv",
            "a.csv\nchapters: clv",
            "line 8: chapters: must be a list, such as [retention, clv]; it is 'clv'.",
        ),
        ("data/orders.csv", "a.csv\nchapters: [nps]", ": chapter nps needs responses under data."),
        (
            "data/orders.csv",
            "a.csv\noptions:\n  npss: {}",
            "line 8: options: 'npss' is no chapter. Did you mean 'nps'? Choose of ['retention', "
            "'churn', 'nps', 'clv'].",
        ),
        (
            "data/orders.csv",
            "a.csv\noptions:\n  nps: {by: [a, b]}",
            "line 9: options.nps.by: must be one value: text, a number, true or false; it is ['a', 'b'].",
        ),
        (
            "currency: EUR",
            "thresholds: {churn_helthy: 0.1}",
            "line 3: unknown key 'churn_helthy'. Did you mean 'churn_healthy'? "
            "Known keys: churn_healthy, churn_urgent.",
        ),
        (
            "currency: EUR",
            "thresholds: {churn_healthy: 0.2}",
            "line 3: thresholds: churn_healthy 0.2 is above churn_urgent 0.1; swap them.",
        ),
        (
            "currency: EUR",
            "thresholds: {churn_urgent: 10}",
            "line 3: thresholds.churn_urgent: must be less than 1; it is 10.",
        ),
        (
            "currency: EUR",
            "benchmarks: [{name: Peers, value: 40, year: 2024}]",
            "line 3: benchmarks.0.source is missing.",
        ),
        (
            "currency: EUR",
            "benchmarks:\n- {name: Peers, value: 140, source: a report, year: 2024}",
            "line 4: benchmarks.0.value: must be less than or equal to 100; it is 140.",
        ),
        (
            "currency: EUR",
            "benchmarks: [{name: ' ', value: 40, source: a report, year: 2024}]",
            "line 3: benchmarks.0.name: is blank.",
        ),
        ("currency: EUR", "currency: 1\nfoo: 2", f"line 4: unknown key 'foo'. Known keys: {KEYS}."),
        (
            "currency: EUR",
            "language: po",
            f"line 3: there is no catalogue for language 'po'. There is {catalogues.languages()}.",
        ),
    ],
)
def test_every_mistake_is_one_line(folder: Path, old: str, new: str, message: str) -> None:
    assert old in ACME
    place = "acme.yaml" if message.startswith(":") else "acme.yaml "
    assert refusal(folder, ACME.replace(old, new, 1)) == place + message


def test_a_mistake_in_the_defaults_is_told_of_the_defaults(folder: Path) -> None:
    (folder / "_defaults.yaml").write_text("language: en\nperiod: months\n")
    assert refusal(folder, ACME) == (
        "_defaults.yaml line 2: period: "
        "must be 'week', 'week_saturday', 'week_sunday', 'month' or 'quarter'; "
        "it is 'months'."
    )
    (folder / "_defaults.yaml").write_text("perod: month\n")
    assert refusal(folder, ACME) == (
        f"_defaults.yaml line 1: unknown key 'perod'. Did you mean 'period'? Known keys: {KEYS}."
    )


@pytest.mark.parametrize(
    ("client", "message"),
    [
        (
            "acmee",
            "There is no client 'acmee' in params/ or params/examples/. Did you mean 'acme'? There "
            "are ['acme'].",
        ),
        ("../x", "There is no client file ../x. There are ['acme']."),
        (
            "params/acmee.yaml",
            "There is no client file params/acmee.yaml. Did you mean 'acme'? There are ['acme'].",
        ),
    ],
)
def test_a_client_that_is_not_there(folder: Path, client: str, message: str) -> None:
    read(folder, ACME)
    with pytest.raises(ParamsError) as refused:
        params.read(client)
    assert str(refused.value) == message


def test_without_any_client_the_way_to_one_is_told(folder: Path) -> None:
    with pytest.raises(ParamsError) as refused:
        params.find("acme")
    assert str(refused.value) == (
        "There is no client 'acme' in params/ or params/examples/. "
        "Type: retention-kit new CLIENT --orders export.csv"
    )


def test_a_table_that_a_client_does_not_have(folder: Path) -> None:
    with pytest.raises(ParamsError) as refused:
        read(folder, ACME).table("responses")
    assert str(refused.value) == (
        "acme has no responses. Name a source under data: responses: in its client file."
    )


def test_a_dumped_client_is_read_back_the_same(folder: Path) -> None:
    client = read(folder, ACME)
    again = read(folder, yamls.dump(client.model_dump(exclude_none=True, exclude={"chapters"})))
    assert again == client


PARAMS = Path(__file__).parents[1] / "params"


@pytest.mark.parametrize(
    "path",
    [*params.client_files(PARAMS), *params.client_files(PARAMS / "examples")],
    ids=lambda path: path.stem,
)
def test_every_client_file_of_the_repository_is_valid(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETENTION_KIT_DATA", "/data")
    client = params.read(path)
    assert client.client == path.stem
    assert client.chosen


def test_data_may_be_named_by_another_date(folder: Path) -> None:
    text = ACME.replace("data/orders.csv", "data/{as_of:%Y-%m}.csv") + "explain: {nps: 41}\n"
    text = text.replace("orders:", "responses: {source: '{as_of}.csv'}\n  orders:")
    (folder / "acme.yaml").write_text(text)
    client = params.read(folder / "acme.yaml", as_of="2024-06-01", data_as_of="2024-07-01")
    assert (client.as_of, client.explain) == ("2024-06-01", ())
    assert Path(client.table("orders").source).name == "2024-07.csv"
    assert Path(client.table("responses").source).name == "2024-07-01.csv"


# -- advice ---------------------------------------------------------------------


def test_a_playbook_is_beside_its_client_file_or_off(folder: Path) -> None:
    assert read(folder, ACME).playbook == ""
    assert read(folder, ACME + "playbook: ours.yaml\n").playbook == str(folder / "ours.yaml")
    assert read(folder, ACME + "playbook: false\n").playbook is False


@pytest.mark.parametrize("value", ["true", "3", "", "[]"])
def test_what_is_no_playbook_is_one_line(folder: Path, value: str) -> None:
    with pytest.raises(ParamsError) as error:
        read(folder, ACME + f"playbook: {value}\n")
    assert "no path of a playbook; write one, or false for no advice." in str(error.value)


# -- figures to be explained --------------------------------------------------

SAAS = """\
as_of: 2020-01-01
data:
  subscriptions: {source: fees.csv}
  responses: {source: answers.csv}
"""


@pytest.mark.parametrize(
    ("text", "figures"),
    [
        ("explain: {churn: 0.378, month: 2019-12}", [("churn", 0.378, "2019-12")]),
        ("explain: {churn: 37.8 %, month: 2019-12}", [("churn", "37.8 %", "2019-12")]),
        (
            "explain:\n  - {nps: 41}\n  - churn: '0.40'\n    month: 2019-11",
            [("nps", 41, None), ("churn", "0.40", "2019-11")],
        ),
        ("explain: []", []),
    ],
)
def test_figures_to_be_explained(folder: Path, text: str, figures: list[tuple]) -> None:
    client = read(folder, SAAS + text + "\n")
    assert [(told.metric, told.figure, told.month) for told in client.explain] == figures
    assert client.figures("nps") == [told for told in client.explain if told.metric == "nps"]


def test_a_retention_figure_says_its_age(folder: Path) -> None:
    (told,) = read(folder, ACME + "explain: {retention: 37.9 %, age: 11, month: 2024-01}\n").explain
    assert (told.metric, told.figure, told.age, told.month) == ("retention", "37.9 %", 11, "2024-01")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "explain: {churn: 0.378}",
            " line 5: explain: churn is of a month; add one such as month: 2019-12.",
        ),
        (
            "explain:\n  churn: 37.8\n  month: 2019-12",
            " line 6: explain.churn: 37.8 is no share such as 0.378. Type '37.8 %' if it is percent.",
        ),
        (
            "explain:\n  - {nps: 41}\n  - churn: 0.3\n    month: 2019-13",
            " line 8: explain.1.month: '2019-13' is no month; write it as 2019-12.",
        ),
        (
            "explain:\n  chrun: 0.3",
            " line 6: unknown key 'chrun'. Did you mean 'churn'? Known keys: churn, retention, nps, month, "
            "age.",
        ),
        (
            "explain: {nps: 41, churn: 0.3}",
            " line 5: explain: name one of churn, retention, nps, such as churn: 0.378; it has ['churn', "
            "'nps'].",
        ),
        (
            "explain: 0.378",
            " line 5: explain: 0.378 is no figure; write one as {churn: 0.378, month: 2019-12}.",
        ),
        ("explain: {retention: 0.3}", ": explain: retention needs orders or events under data."),
        (
            "explain: {churn: 0.3, month: 2020-01}",
            ": explain: month 2020-01 is not over by as_of 2020-01-01.",
        ),
    ],
)
def test_figures_that_cannot_be_explained(folder: Path, text: str, message: str) -> None:
    assert refusal(folder, SAAS + text + "\n") == f"acme.yaml{message}"


# -- brand ---------------------------------------------------------------------

LOGO = '<svg xmlns="http://www.w3.org/2000/svg"/>'
BRAND = (
    'brand: {name: North Star, logo: logos/star.svg, colours: ["#0b3d5c"], confidentiality: For Acme alone}\n'
)


def test_a_logo_lies_beside_the_file_that_names_it(folder: Path) -> None:
    (folder / "logos").mkdir()
    (folder / "logos" / "star.svg").write_text(LOGO)
    (folder / "_defaults.yaml").write_text(BRAND)
    read(folder, ACME)
    # A file below shares the defaults, and their logo; what it says itself wins.
    (folder / "examples" / "deep.yaml").write_text(ACME + "brand: {name: Ours}\n")
    brand = params.read("deep").brand
    assert (brand.name, brand.confidentiality) == ("Ours", "For Acme alone")
    assert brand.logo.startswith("data:image/svg+xml;base64,")
    (folder / "_defaults.yaml").unlink()
    (folder / "examples" / "deep.yaml").write_text(ACME + BRAND)
    with pytest.raises(ParamsError) as error:
        params.read("deep")
    assert str(error.value) == "deep.yaml line 8: brand.logo: there is no file star.svg in logos."


def test_a_mistake_in_the_brand_has_its_line(folder: Path) -> None:
    assert refusal(folder, ACME + "brand:\n  colors: []\n") == (
        "acme.yaml line 9: unknown key 'colors'. Did you mean 'colours'? "
        "Known keys: name, logo, colours, confidentiality."
    )
    assert refusal(folder, ACME + "brand:\n  colours: #0b3d5c\n") == (
        'acme.yaml line 9: brand.colours: write colours in quotes, such as ["#0b3d5c", "#e69f00"].'
    )
