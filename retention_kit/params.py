"""One YAML file a client: what it may say, read with the line of every mistake."""

import datetime as dt
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationError,
    field_validator,
    model_validator,
)

from retention_kit import brands, environment, mistakes, yamls
from retention_kit.brands import Brand
from retention_kit.catalogues import Language
from retention_kit.exceptions import ParamsError, did_you_mean
from retention_kit.figures import Figure
from retention_kit.thresholds import Benchmark, Thresholds

KINDS = ("orders", "events", "subscriptions", "responses", "customers", "invitations")

#: Each chapter in the report's order, and the kinds of table it can be made from: the first one there is.
CHAPTERS = {
    "retention": ("orders", "events"),
    "churn": ("subscriptions",),
    "nps": ("responses",),
    "clv": ("orders",),
}

#: What the invented company's tables hold beyond what every such table has.
_DEMO_COLUMNS = {
    "orders": ("country", "channel", "product"),
    "responses": ("quality", "service", "delivery", "price", "satisfaction", "effort"),
}

_CLIENT = re.compile(r"^[a-z0-9][a-z0-9_-]{0,63}$")
_RESERVED = {"con", "prn", "aux", "nul", *(f"{port}{i}" for port in ("com", "lpt") for i in range(1, 10))}
_AS_OF = re.compile(r"\{as_of(?::([^}]*))?\}")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Table(_Strict):
    """A data source and how to read it; the keys are the parameters of `tables.load_orders`."""

    source: Annotated[str, Field(min_length=1)]
    table: str | None = None  # of a database
    query: str | None = None
    preset: str | None = None
    columns: dict[str, str] = Field(default_factory=dict)
    where: str | None = None
    timezone: str | None = None
    sheet: str | None = None
    encoding: str | None = None
    delimiter: str | None = None
    quote: Literal['"', "'", ""] | None = None
    decimal: Literal[".", ","] | None = None
    day_first: bool | None = None
    ids: Literal["exact", "alike"] | None = None
    same_customer: str | None = None  # a file: other_id, and the customer_id that counts
    overlaps: Literal["drop", "keep"] | None = None  # rows that an earlier file of a pattern has too
    origin: str = ""  # where it can be had, under which licence; shown when it is missing, and in the report

    def how(self) -> dict[str, Any]:
        """What `tables.load_...` is called with."""
        return self.model_dump(exclude={"origin"}, exclude_none=True)


class Data(_Strict):
    """The tables of a client; each is optional, and chapters without their table are left out."""

    orders: Table | None = None
    events: Table | None = None
    subscriptions: Table | None = None
    responses: Table | None = None
    customers: Table | None = None
    invitations: Table | None = None


class Client(_Strict):
    """A client file, read: data sources, as-of date, chapters and their options."""

    client: str
    title: str
    as_of: str
    currency: str = "EUR"
    language: Language = "en"
    period: Literal["week", "week_saturday", "week_sunday", "month", "quarter"] = "month"
    prepared_by: str = ""
    notes: str = ""
    brand: Brand = Brand()
    data: Data
    chapters: tuple[str, ...] = ()
    thresholds: Thresholds = Thresholds()
    # A consultant's own rules, merged over ours; false for a report without advice.
    playbook: str | Literal[False] = ""
    # Whether the report may list customers by id; their list is written to tables/ either way.
    show_customers: bool = False
    # The language of a codeframe of ours, or a file of one's own; else the one in the report's language.
    codeframe: str = ""
    options: dict[str, dict[str, bool | int | float | str | None]] = Field(default_factory=dict)
    # The client's own figures, for the report to say how they come about.
    explain: tuple[Figure, ...] = ()
    # Others' scores that the client wants beside its own, each with who says so and when.
    benchmarks: tuple[Benchmark, ...] = ()
    _secrets: tuple[tuple[str, str], ...] = ()
    _kept: dict[str, Any] = PrivateAttr(default_factory=dict)

    @field_validator("client")
    @classmethod
    def _is_a_safe_folder_name(cls, name: str) -> str:
        if not _CLIENT.match(name) or name in _RESERVED:
            raise ValueError(
                f"{name!r} names a folder under outputs/: use a-z, 0-9, - and _ alone, 64 at most, "
                "and no name that Windows reserves"
            )
        return name

    @field_validator("as_of")
    @classmethod
    def _is_a_date(cls, text: str) -> str:
        try:
            moment = dt.datetime.fromisoformat(text)
        except ValueError:
            raise ValueError(f"{text!r} is no date; write it as 2024-07-01") from None
        if moment.tzinfo is not None:
            raise ValueError(f"{text!r} has a time zone; write the local date, as {moment:%Y-%m-%d}")
        return text

    @field_validator("currency")
    @classmethod
    def _is_a_currency_code(cls, code: str) -> str:
        if not re.fullmatch("[A-Z]{3}", code):
            raise ValueError(f"{code!r} is no currency; write three capital letters, such as EUR")
        return code

    @field_validator("playbook", mode="before")
    @classmethod
    def _is_a_playbook_or_none(cls, playbook: Any) -> Any:
        if playbook is not False and not isinstance(playbook, str):
            raise ValueError(f"{playbook!r} is no path of a playbook; write one, or false for no advice")
        return playbook

    @field_validator("chapters", "options")
    @classmethod
    def _names_chapters(cls, named: Any) -> Any:
        for chapter in named:
            if chapter not in CHAPTERS:
                hint = did_you_mean(chapter, CHAPTERS)
                raise ValueError(f"{chapter!r} is no chapter.{hint} Choose of {list(CHAPTERS)}")
        return named

    @field_validator("data", mode="before")
    @classmethod
    def _demo_by_name(cls, data: Any) -> Any:
        if data == "demo":
            demo = {kind: {"source": f"demo://{kind}"} for kind in KINDS}
            for kind, further in _DEMO_COLUMNS.items():
                demo[kind]["columns"] = {name: name for name in further}
            return demo
        if isinstance(data, str):
            raise ValueError(f"{data!r} is neither demo nor a list of tables ({', '.join(KINDS)})")
        return data

    @field_validator("explain", mode="before")
    @classmethod
    def _one_figure_or_a_list(cls, explain: Any) -> Any:
        if not isinstance(explain, (dict, list, tuple)):
            raise ValueError(f"{explain!r} is no figure; write one as {{churn: 0.378, month: 2019-12}}")
        return [explain] if isinstance(explain, dict) else explain

    @model_validator(mode="after")
    def _figures_can_be_explained(self) -> "Client":
        for told in self.explain:
            if self.kind_for(told.metric) is None:
                needs = " or ".join(CHAPTERS[told.metric])
                raise ValueError(f"explain: {told.metric} needs {needs} under data")
            if told.churn is not None and str(told.month) >= self.as_of[:7]:
                raise ValueError(f"explain: month {told.month} is not over by as_of {self.as_of}")
        return self

    @model_validator(mode="after")
    def _chapters_have_their_tables(self) -> "Client":
        for chapter in self.chapters:
            if self.kind_for(chapter) is None:
                raise ValueError(f"chapter {chapter} needs {' or '.join(CHAPTERS[chapter])} under data")
        if not self.chosen:
            raise ValueError(f"data names no table that a chapter could read; give one of {list(KINDS[:4])}")
        return self

    @property
    def chosen(self) -> list[str]:
        """The chapters of the report: those named, or all that have their table."""
        return [
            chapter
            for chapter in CHAPTERS
            if self.kind_for(chapter) and (not self.chapters or chapter in self.chapters)
        ]

    @property
    def left_out(self) -> dict[str, str]:
        """The chapters that are not in the report for want of a table, and which."""
        return {chapter: kinds[0] for chapter, kinds in CHAPTERS.items() if not self.kind_for(chapter)}

    def kind_for(self, chapter: str) -> str | None:
        """The kind of table a chapter is made from here; None where there is none it could use."""
        return next((kind for kind in CHAPTERS[chapter] if self.has(kind)), None)

    def figures(self, metric: str) -> list[Figure]:
        """The client's own figures of a metric, to be explained."""
        return [told for told in self.explain if told.metric == metric]

    def masked(self, text: str) -> str:
        """A text that is to be written, with no value in it that came from the environment."""
        return environment.masked(text, dict(self._secrets))

    @property
    def kept(self) -> dict[str, Any]:
        """What was loaded of this client already, by kind."""
        return self._kept

    def has(self, kind: str) -> bool:
        """Whether the client file names a table of this kind."""
        return getattr(self.data, kind) is not None

    def table(self, kind: str) -> Table:
        """The client's table of a kind, or a clear error."""
        table = getattr(self.data, kind, None)
        if table is None:
            raise ParamsError(
                f"{self.client} has no {kind}. Name a source under data: {kind}: in its client file."
            )
        return table


def read(client: str | Path, *, as_of: str | None = None, data_as_of: str | None = None) -> Client:
    """The client file of an id (`demo`) or path (`params/demo.yaml`), checked and made complete.

    `_defaults.yaml` beside it (or one folder up) is merged under it. `${NAME}` is read from the
    environment here and nowhere written; paths are relative to the file; `{as_of:%Y-%m}` in a
    source becomes the date.

    Parameters
    ----------
    client : str or Path
        An id is looked for in `params/` and `params/examples/`, here and in the folders above.
    as_of : str, optional
        Overrides the file's.
    data_as_of : str, optional
        The date that sources are named by, where it is another. Figures to explain are then left out.

    Raises
    ------
    ParamsError
        With file and line: an unknown key ("did you mean"), a wrong type, a variable that is not set.
    """
    path = find(client)
    document, defaults = yamls.load(path), _defaults(path)
    values = _merged(defaults.values if defaults else {}, document.values)
    values.setdefault("client", path.stem)
    values.setdefault("title", path.stem.replace("_", " ").capitalize())
    if as_of:
        values["as_of"] = as_of
        document.lines.pop(("as_of",), None)  # a mistake in it is not the file's
    values |= {"explain": []} if data_as_of else {}  # those of a month that is not over by then
    if "as_of" not in values:
        raise ParamsError(
            f"{path.name}: as_of is missing, the first moment not observed. "
            "Add a line such as as_of: 2024-07-01, or say --as-of 2024-07-01."
        )
    try:
        parsed = Client.model_validate(values)
    except ValidationError as error:
        documents = [document, *([defaults] if defaults else [])]
        raise ParamsError(mistakes.complaint(documents, error, _keys_at)) from None
    at_home = document if ("brand", "logo") in document.lines or not defaults else defaults
    return _branded(_resolved(parsed, document, data_as_of or parsed.as_of), at_home)


def find(client: str | Path) -> Path:
    """The path of a client file, from a path or an id."""
    text = str(client)
    if text.endswith((".yaml", ".yml")) or "/" in text or os.sep in text:
        path = Path(text)
        if path.is_file():
            return path.resolve()
        raise ParamsError(f"There is no client file {text}.{_known_clients(path.stem)}")
    for folder in (Path.cwd(), *Path.cwd().parents):
        for place in ("params", "params/examples"):
            path = folder / place / f"{text}.yaml"
            if path.is_file():
                return path.resolve()
    raise ParamsError(f"There is no client {text!r} in params/ or params/examples/.{_known_clients(text)}")


def _known_clients(name: str) -> str:
    folders = [Path.cwd() / "params", Path.cwd() / "params" / "examples"]
    known = [path.stem for folder in folders if folder.is_dir() for path in client_files(folder)]
    hint = did_you_mean(name, known)
    return f"{hint} There are {known}." if known else " Type: retention-kit new CLIENT --orders export.csv"


def client_files(folder: Path) -> list[Path]:
    """The client files of a folder: every YAML whose name does not start with `_`."""
    return sorted(path for path in folder.glob("*.yaml") if not path.name.startswith("_"))


def _defaults(path: Path) -> yamls.Document | None:
    for folder in (path.parent, path.parent.parent):
        defaults = folder / "_defaults.yaml"
        if defaults.is_file():
            document = yamls.load(defaults)
            unknown = [key for key in document.values if key not in Client.model_fields]
            if unknown:
                known = list(Client.model_fields)
                raise ParamsError(mistakes.unknown_key(document, (unknown[0],), known))
            return document
    return None


def _merged(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(under)
    for key, value in over.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = _merged(merged[key], value) if both else value
    return merged


_MODELS = {"explain": Figure, "thresholds": Thresholds, "brand": Brand, "benchmarks": Benchmark}


def _keys_at(place: tuple) -> list[str]:
    if len(place) == 1:
        return list(Client.model_fields)
    if place[0] in _MODELS:
        return list(_MODELS[place[0]].model_fields)
    return list(Data.model_fields) if len(place) == 2 else list(Table.model_fields)


def _resolved(client: Client, document: yamls.Document, date: str) -> Client:
    """Sources with the environment's values, the date and the file's own folder in them."""
    moment = dt.datetime.fromisoformat(date)
    tables, secrets = {}, {}
    for kind in KINDS:
        if not client.has(kind):
            continue
        table = client.table(kind)
        source = _AS_OF.sub(lambda found: moment.strftime(found[1] or "%Y-%m-%d"), table.source)
        hint = f" The data: {table.origin}" if table.origin else ""
        known = environment.values(source, place=document.where(("data", kind, "source")), hint=hint)
        source = environment.filled(source, known)
        secrets |= known
        source = _placed(source, document.path.parent)
        if table.same_customer:
            people = _placed(table.same_customer, document.path.parent)
            table = table.model_copy(update={"same_customer": people})
        tables[kind] = table.model_copy(update={"source": source})
    rules = str(document.path.parent / client.playbook) if client.playbook else client.playbook
    own = client.codeframe.endswith((".yaml", ".yml"))
    codes = str(document.path.parent / client.codeframe) if own else client.codeframe
    resolved = client.model_copy(update={"data": Data(**tables), "playbook": rules, "codeframe": codes})
    resolved._secrets = tuple(secrets.items())
    return resolved


def _placed(source: str, folder: Path) -> str:
    """A path from the client file's folder on; so is the path of a database that is a file."""
    start, separator, path = source.rpartition("://")
    if separator and start not in ("duckdb", "sqlite"):
        return source
    if Path(path).expanduser().is_absolute():
        return source
    return f"{start}{separator}{folder / path}"


def _branded(client: Client, document: yamls.Document) -> Client:
    """The logo as a data URI; its path is relative to the file that names it."""
    if not client.brand.logo:
        return client
    try:
        logo = brands.embedded(document.path.parent / client.brand.logo)
    except ValueError as error:
        raise ParamsError(f"{document.where(('brand', 'logo'))}: brand.logo: {error}.") from None
    return client.model_copy(update={"brand": client.brand.model_copy(update={"logo": logo})})
