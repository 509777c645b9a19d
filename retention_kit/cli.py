"""The command line: parse, call one function, print paths. Nothing heavy is imported before it is needed."""

import gc
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    import pandas as pd

    from retention_kit.figures import Figure
    from retention_kit.params import Client

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help: four times less work for the same words
    help="From a raw export of orders, subscriptions or survey answers to a client-ready report.",
    epilog="Start with: retention-kit run params/demo.yaml",
)

Clients = Annotated[
    list[str], typer.Argument(help="Client files (params/*.yaml) or ids (demo).", show_default=False)
]
AsOf = Annotated[
    str | None,
    typer.Option(
        "--as-of", metavar="DATE", help="First moment not observed, for all clients; e.g. 2024-07-01."
    ),
]

_SPARED = {
    "unchanged": "Nothing has changed, the last report stands",
    "rendered": "Only words have changed, chapters not executed",
}


@app.command()
def run(
    clients: Clients,
    as_of: AsOf = None,
    jobs: Annotated[
        int, typer.Option(min=1, help="Chapters executed at a time, each in its own process.")
    ] = 2,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Execute every chapter, also of clients that have not changed.")
    ] = False,
    pdf: Annotated[
        bool, typer.Option("--pdf", help="Also a report.pdf, printed by Chromium, Chrome or Edge.")
    ] = False,
    out: Annotated[Path, typer.Option(help="Folder for the reports.", file_okay=False)] = Path("outputs"),
    edition: Annotated[
        Literal["report", "lesson", "full"],
        typer.Option(help="For clients, students (with a zip to hand out), or teachers (with solutions)."),
    ] = "report",
    engine: Annotated[
        Literal["warm", "papermill"],
        typer.Option(help="Processes forked from a warm one (Linux), or papermill's kernels."),
    ] = "warm",
) -> None:
    """Make one report per client, outputs/CLIENT/AS_OF/report.html, and outputs/index.html over all of them.

    A client whose file, data and notebooks are as they were for its last report keeps it. Where only
    words changed that the chapters do not read, such as its title or notes, they are not executed.

    A client that fails leaves the other clients, and its own last report, whole; the reason is
    printed and the exit code is 1. Ctrl-C lets the notebooks that run finish; pressed again, it ends them.
    """
    from retention_kit.engines import Engine

    with Engine(engine) as chosen:  # it imports in a process of its own, while this one does
        from retention_kit import interrupts, progress, reports

        gc.freeze()  # of what is imported nothing is garbage; to look through it at the end takes long
        how = {"as_of": as_of, "jobs": jobs, "fresh": fresh, "pdf": pdf, "out": out, "engine": chosen}
        with progress.bar() as tell:
            outcomes = reports.run(_client_files(clients), **how, edition=edition, progress=tell)
        if chosen.reason:
            typer.echo(f"Executed by papermill's kernels: {chosen.reason}.", err=True)
    for outcome in outcomes:
        for path in filter(None, (outcome.report, outcome.pdf, outcome.handout)):
            typer.echo(path)
    for state, words in _SPARED.items():
        spared = [outcome.client for outcome in outcomes if outcome.state == state]
        if spared:
            typer.echo(f"{words}: {', '.join(spared)}. Type --fresh to execute all.", err=True)
    for outcome in outcomes:
        if outcome.reason:
            typer.echo(f"{outcome.client}: {outcome.reason}", err=True)
    page = reports.index(out)
    if page:
        typer.echo(page)
    if any(outcome.state == "stopped" for outcome in outcomes):
        raise typer.Exit(interrupts.EXIT_CODE)
    if any(outcome.reason for outcome in outcomes):
        raise typer.Exit(1)


@app.command()
def check(
    clients: Clients,
    as_of: AsOf = None,
    jobs: Annotated[int, typer.Option(min=1, help="Clients tried at a time, each in its own process.")] = 2,
) -> None:
    """Check client files and their data without making a report.

    Prints one table with a line for each client's table: rows read, kept and set aside, and below it
    every warning and every problem in full. The exit code is 1 when there is a problem.

    Before a month's batch: retention-kit check params/*.yaml --as-of 2024-07-01
    """
    from retention_kit import inspection

    found = inspection.check(_client_files(clients), as_of=as_of, jobs=jobs)
    typer.echo(inspection.as_text(found))
    if any(line.problem for line in found):
        raise typer.Exit(1)


@app.command()
def new(
    client: Annotated[str, typer.Argument(help="Id of the client: a-z, 0-9, - and _.")],
    orders: Annotated[
        str | None, typer.Option(help="An export of orders: a file, a pattern, a database's address.")
    ] = None,
    subscriptions: Annotated[str | None, typer.Option(help="Or one of subscriptions.")] = None,
    responses: Annotated[str | None, typer.Option(help="Or one of answers to a survey.")] = None,
    events: Annotated[str | None, typer.Option(help="Or one of what customers did.")] = None,
    preset: Annotated[
        str | None, typer.Option(help="The tool it comes from, such as shopify_orders; else by its columns.")
    ] = None,
    as_of: Annotated[
        str | None, typer.Option(metavar="DATE", help="First moment not observed, such as 2024-07-01.")
    ] = None,
    currency: Annotated[str | None, typer.Option(help="ISO code of the amounts, such as EUR.")] = None,
    customer_id: Annotated[str | None, typer.Option(help="The column that says who.")] = None,
    ordered_at: Annotated[str | None, typer.Option(help="The column that says when.")] = None,
    order_id: Annotated[
        str | None, typer.Option(help="The column that ties an order's lines together, or none.")
    ] = None,
    amount: Annotated[
        str | None,
        typer.Option(
            help="The column of the money, an expression such as Qty * Price, or none. Of subscriptions: "
            "what was paid for the whole stretch, instead of --mrr."
        ),
    ] = None,
    started_at: Annotated[str | None, typer.Option(help="When a subscription began.")] = None,
    ended_at: Annotated[str | None, typer.Option(help="When it ended; empty where it runs.")] = None,
    mrr: Annotated[str | None, typer.Option(help="What is paid a month, an expression, or none.")] = None,
    plan: Annotated[str | None, typer.Option(help="Which plan, or none.")] = None,
    cancel_reason: Annotated[str | None, typer.Option(help="Why it ended, or none.")] = None,
    score: Annotated[str | None, typer.Option(help="The score of an answer.")] = None,
    responded_at: Annotated[str | None, typer.Option(help="When it was given, or none.")] = None,
    comment: Annotated[str | None, typer.Option(help="What was said, or none.")] = None,
    occurred_at: Annotated[str | None, typer.Option(help="When an event happened.")] = None,
    event: Annotated[str | None, typer.Option(help="What was done, or none.")] = None,
    table: Annotated[str | None, typer.Option(help="Of a database: which table.")] = None,
    query: Annotated[str | None, typer.Option(help="Of a database: a SELECT instead of a table.")] = None,
    where: Annotated[str | None, typer.Option(help="An SQL condition that rows must meet.")] = None,
    timezone: Annotated[str | None, typer.Option(help="Whose clock counts, such as Europe/Warsaw.")] = None,
    day_first: Annotated[
        bool | None,
        typer.Option("--day-first/--month-first", help="How to read 01/02/2024.", show_default=False),
    ] = None,
    decimal: Annotated[str | None, typer.Option(help="The sign that starts the decimals: . or ,")] = None,
    delimiter: Annotated[str | None, typer.Option(help="The sign between columns, such as ;")] = None,
    quote: Annotated[str | None, typer.Option(help="The sign around texts.")] = None,
    encoding: Annotated[str | None, typer.Option(help="Such as utf-8 or cp1250.")] = None,
    sheet: Annotated[str | None, typer.Option(help="Of an Excel file; the first if none is named.")] = None,
    folder: Annotated[Path, typer.Option(help="Where the client file is written.", file_okay=False)] = Path(
        "params"
    ),
) -> None:
    """Draft a client file by looking at an export's columns.

    Each guess is shown with its reason and three values; what cannot be told is asked for, or, where
    nobody can be asked, the option that says it is named. The draft is tried on the data before it is
    written, and a client file that exists is never overwritten.

    Example: retention-kit new acme --orders exports/acme.csv --currency EUR --as-of 2024-07-01
    """
    from retention_kit import drafts

    exports = {"orders": orders, "subscriptions": subscriptions, "responses": responses, "events": events}
    kind, source = _one_export(exports)
    given = {"customer_id": customer_id, "ordered_at": ordered_at, "order_id": order_id, "amount": amount}
    given |= {"started_at": started_at, "ended_at": ended_at, "mrr": mrr, "plan": plan}
    given |= {"cancel_reason": cancel_reason, "score": score, "responded_at": responded_at}
    given |= {"comment": comment, "occurred_at": occurred_at, "event": event}
    how = {"where": where, "timezone": timezone, "day_first": day_first, "decimal": decimal}
    how |= {"delimiter": delimiter, "quote": quote, "encoding": encoding, "sheet": sheet}
    how |= {"table": table, "query": query, "preset": preset}
    draft = drafts.draft(
        client,
        source,
        kind=kind,
        given=given,
        as_of=as_of,
        currency=currency,
        folder=folder,
        how=how,
        ask=_ask,
    )
    for line in draft.reasons:
        typer.echo(line)
    typer.echo(drafts.write(draft, folder))


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder to make.", show_default=False)],
) -> None:
    """Make a project of your own: params, notebooks, a README, and room for data that git leaves alone.

    A chapter in its notebooks/ is used instead of the package's, for the clients in its params/: change
    it as you like, or delete it to have the package's again. A folder that holds anything is refused.

    Example: retention-kit init reports && cd reports && retention-kit run params/demo.yaml
    """
    from retention_kit import projects

    example = projects.init(folder)
    typer.echo(f"{folder} is ready. Type: cd {folder}, then: retention-kit run {example.relative_to(folder)}")


@app.command()
def lab(
    client: Annotated[str, typer.Argument(help="Client file (params/acme.yaml) or id (acme).")],
    told: Annotated[
        list[str] | None,
        typer.Argument(metavar="-- OPTIONS", help="Options of JupyterLab's own.", show_default=False),
    ] = None,
    as_of: AsOf = None,
) -> None:
    """Open a client's chapters in JupyterLab, with its parameters filled in.

    They are copies in lab/CLIENT, to work in: what you change there changes no report. A copy that is
    there is opened as you left it; delete it to have it made anew.

    On another machine: retention-kit lab acme -- --no-browser --port 9000
    """
    from retention_kit import projects

    folder = projects.lab(client, as_of=as_of)
    typer.echo(folder)
    raise typer.Exit(projects.open_lab(folder, told or ()))


@app.command()
def explain(
    client: Annotated[str, typer.Argument(help="Client file (params/acme.yaml) or id (acme).")],
    churn: Annotated[
        str | None, typer.Option(metavar="FIGURE", help="Their churn of a month: 0.378 or '37.8 %'.")
    ] = None,
    retention: Annotated[
        str | None, typer.Option(metavar="FIGURE", help="Their retention at an age: 0.379 or '37.9 %'.")
    ] = None,
    nps: Annotated[str | None, typer.Option(metavar="FIGURE", help="Their score: 41 or 41.3.")] = None,
    month: Annotated[
        str | None, typer.Option(metavar="MONTH", help="Of churn the month; of retention one cohort's.")
    ] = None,
    age: Annotated[
        int | None, typer.Option(help="Of retention: how many periods after the first. 1 if none is given.")
    ] = None,
    as_of: AsOf = None,
) -> None:
    """Find out how somebody else's figure was made.

    Tries every definition and policy on the client's own data, names those that print the figure, with
    their counts, beside ours and why they differ; below stands all that was tried, matches marked =.
    Without a figure it explains those under explain: in the client file.

    Example: retention-kit explain saas_playbook --churn 0.378 --month 2019-12

    Example: retention-kit explain online_retail --retention 0.379 --age 11
    """
    from retention_kit import figures, params
    from retention_kit.exceptions import ParamsError

    read = params.read(client, as_of=as_of)
    asked = figures.asked(churn=churn, retention=retention, nps=nps, month=month, age=age) or read.explain
    if not asked:
        raise ParamsError(
            f"{read.client} has no figure to explain. Say one, such as --churn 0.378 --month 2019-12, "
            "or add a line explain: {churn: 0.378, month: 2019-12} to its client file."
        )
    from retention_kit import explanations
    from retention_kit.sentences import Voice

    voice = Voice(language=read.language, currency=read.currency)
    told = [explanations.as_text(_explained(read, each), voice) for each in asked]
    policy = read.options.get("churn", {}).get("policy", "house")
    if policy != "house" and any(each.metric == "churn" for each in asked):
        told.insert(0, voice.say("churn.explained_by_house", policy=policy))
    typer.echo("\n\n".join(told))


def _explained(client: "Client", asked: "Figure") -> "pd.DataFrame":
    from retention_kit import churn, nps, params, retention, scales, tables

    metric, figure = asked.metric, asked.figure
    loaded = tables.load(client, client.kind_for(metric) or params.CHAPTERS[metric][0])
    if metric == "churn":
        return churn.explain_figure(loaded, figure, month=asked.month)
    if metric == "nps":
        told = client.options.get("nps", {})
        scale = scales.read(told.get("scale") or "nps_0_10", out_of_range=told.get("out_of_range"))
        return nps.explain_figure(loaded, figure, scale=scale)
    return retention.explain_figure(
        loaded, figure, age=asked.age or 1, period=client.period, cohort=asked.month
    )


data = typer.Typer(no_args_is_help=True, help="Public example data, for the clients in params/examples.")
app.add_typer(data, name="data")


@data.command()
def fetch(
    name: Annotated[str, typer.Argument(help="The data set, such as saas_mrr_playbook.")],
    folder: Annotated[
        Path | None, typer.Option(help="Where to; $RETENTION_KIT_DATA if none is given.", file_okay=False)
    ] = None,
    mirror: Annotated[
        str | None, typer.Option(help="A folder or an address that has the files instead.")
    ] = None,
) -> None:
    """Get a public data set by its address, each file checked by its sha256.

    Example: export RETENTION_KIT_DATA=data && retention-kit data fetch saas_mrr_playbook
    """
    from retention_kit import downloads

    for path in downloads.fetch(name, folder=folder, mirror=mirror):
        typer.echo(path)


@data.callback()
def _data() -> None:
    """One command alone would be the whole of `data`."""


def _one_export(exports: "dict[str, str | None]") -> tuple[str, str]:
    """The kind and the source of the one export that was named."""
    from retention_kit.exceptions import ParamsError

    named = [(kind, source) for kind, source in exports.items() if source]
    if len(named) != 1:
        options = ", ".join(f"--{kind}" for kind in exports)
        raise ParamsError(
            f"Name one export by one of {options}. Another is added to the client file by hand."
        )
    return named[0]


def _ask(question: str, option: str, default: str) -> str:
    import sys

    from retention_kit.exceptions import ParamsError

    if not sys.stdin.isatty():
        raise ParamsError(f"{question} Say {option}.")
    return typer.prompt(question, default=default or None, prompt_suffix=" ", err=True)


def _client_files(clients: list[str]) -> list[str]:
    """A shell on Windows hands patterns over as they are."""
    import glob

    files = []
    for client in clients:
        matches = sorted(glob.glob(client)) if glob.has_magic(client) else [client]
        files += [one for one in matches or [client] if not Path(one).name.startswith("_")]
    return list(dict.fromkeys(files))


def main() -> None:
    """Run the command line; an error of ours is one line and exit code 1, never a traceback."""
    import io
    import sys

    from retention_kit.exceptions import RetentionKitError

    if isinstance(sys.stdout, io.TextIOWrapper):  # a pipe on Windows may not know a customer's letters
        sys.stdout.reconfigure(errors="replace")
    try:
        app()
    except RetentionKitError as error:
        typer.echo(f"retention-kit: {error}", err=True)
        sys.exit(1)
