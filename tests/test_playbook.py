"""Advice that nothing but a whole interval past a limit can trigger, each with its figure and its caution."""

from dataclasses import replace

import pytest

from retention_kit import playbook, score_intervals
from retention_kit.exceptions import ParamsError, ReportError
from retention_kit.headlines import Headline
from retention_kit.sentences import Voice
from retention_kit.thresholds import Thresholds

VOICE = Voice(language="en", currency="EUR")
RULES = {rule.name: rule for rule in playbook.read()}
LIMITS = {"churn_healthy": 0.05, "churn_urgent": 0.10}


def figure(name="churn.involuntary_share", low=0.12, high=0.2, unit="share", good="down", **changed):
    value = None if low is None else (low + high) / 2
    told = {"counts": {"churned": 32, "departures": 200}, "definition": "How.", "as_of": "2024-07-01"}
    told |= {"low": low, "high": high, "interval": "Wilson 95 %", "value": value} | changed
    return Headline(name, unit=unit, good=good, **told)


def limit_of(rule):
    return LIMITS.get(rule.limit, rule.limit)


def past(rule, by):
    """The rule's figure, its near bound so far past the limit; a negative `by` leaves the limit inside."""
    limit = limit_of(rule)
    low, high = (limit + by, limit + by + 0.02) if rule.above else (limit - by - 0.02, limit - by)
    return figure(rule.headline, low, high, unit=rule.unit)


def fired(headlines, rules, **how):
    return [action.rule.name for action in playbook.plan(headlines, rules, **how).actions]


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_a_rule_fires_just_past_its_limit_and_not_where_the_interval_holds_it(rule):
    assert fired([past(rule, 1e-6)], [rule]) == [rule.name]
    assert fired([past(rule, 0)], [rule]) == []
    assert fired([past(rule, -0.005)], [rule]) == []
    other_side = replace(past(rule, 1e-6), low=limit_of(rule) - 0.5, high=limit_of(rule) + 0.5)
    assert fired([other_side], [rule]) == []


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_what_is_not_measured_or_not_known_triggers_nothing(rule):
    unknown = figure(rule.headline, None, None, unit=rule.unit, counts={"n": 0}, interval=None)
    bare = replace(past(rule, 0.01), low=None, high=None, interval=None)
    for headlines in ([], [unknown], [bare]):
        found = playbook.plan(headlines, [rule])
        assert (list(found.actions), list(found.quiet), list(found.unknown)) == ([], [], [rule])


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_every_rule_has_words_that_do_not_repeat_another_rules(rule):
    told = playbook.advice(playbook.plan([past(rule, 0.01)], [rule]).actions[0], VOICE)
    words = [told.title, told.why, told.measure, told.caution]
    assert all(words)
    assert told.caution.startswith("It does not prove")
    others = [VOICE.say(f"playbook.{name}.title") for name in RULES if name != rule.name]
    assert told.title not in others


def test_the_reason_gives_the_figure_its_interval_its_counts_and_the_limit():
    [action] = playbook.plan([figure(low=0.1153, high=0.2171, value=0.16)], RULES.values()).actions
    assert playbook.advice(action, VOICE).reason == (
        "Departures that nobody chose: 16.0%, between 11.5% and 21.7% (Lost\N{NO-BREAK SPACE}32 · "
        "Departures\N{NO-BREAK SPACE}200). The whole interval lies above 10.0%, a limit of ours."
    )
    below = figure("nps.nps", -12.0, -3.0, "nps", counts={})
    [action] = playbook.plan([below], RULES.values()).actions
    assert playbook.advice(action, VOICE).reason == (
        "Net Promoter Score: −8, between −12 and −3. The whole interval lies below 0, a limit of ours."
    )


def test_thresholds_are_the_clients_and_converted_to_its_period():
    churn = figure("churn.typical", 0.06, 0.08)
    assert fired([churn], RULES.values()) == ["flexible_plans"]
    own = Thresholds(churn_healthy=0.01, churn_urgent=0.05)
    assert fired([churn], RULES.values(), thresholds=own) == ["flexible_plans", "early_warning"]
    # 5 % a month is 14.3 % a quarter and 1.2 % a week.
    assert fired([churn], RULES.values(), period="quarter") == []
    assert fired([figure("churn.typical", 0.013, 0.02)], RULES.values(), period="week") == ["flexible_plans"]
    usual = playbook.plan([churn], RULES.values()).actions[0]
    assert playbook.advice(usual, VOICE).reason.endswith(
        "above 5.0%, a rule of thumb of shops and software sellers."
    )
    strict = playbook.plan([churn], RULES.values(), thresholds=own).actions[0]
    assert playbook.advice(strict, VOICE).reason.endswith("above 1.0%, the limit set for this client.")


def test_what_is_lost_comes_before_what_is_strong_and_the_surest_first():
    strong = figure("nps.promoter_share", 0.9, 0.91, good="up")  # 80 half intervals past one half
    barely = figure("churn.silent_share", 0.51, 0.91)
    surely = figure("churn.involuntary_share", 0.2, 0.24)
    found = playbook.plan([strong, barely, surely], RULES.values())
    assert [action.rule.name for action in found.actions] == [
        "payment_recovery",
        "exit_question",
        "community",
    ]
    assert [round(action.strength, 6) for action in found.actions] == [5, 0.05, 80]


def test_a_share_that_cannot_vary_is_the_surest():
    sure = figure("nps.promoter_share", 1.0, 1.0)
    assert playbook.plan([sure], RULES.values()).actions[0].strength == float("inf")


def test_the_smallest_detectable_difference_comes_from_the_watched_figures_interval():
    low, high = (float(bound) for bound in score_intervals.adjusted_wald(67, 66, 67))
    score = figure("nps.nps", low, high, "nps", good="up")
    # Two halves of 100 answers each, thirds of each kind: metrics.md has 32 points.
    assert playbook._detectable(score, VOICE) == [
        "Leave half of the customers, drawn at random, as they are. Watched for as long as this report does, "
        'two such halves show a difference in "Net Promoter Score" of 32 or more four times in five; a '
        "smaller one would mostly go unseen."
    ]
    [action] = playbook.plan(
        [figure(), figure("churn.typical", 0.042, 0.0502)], [RULES["payment_recovery"]]
    ).actions
    assert "of 1.2 percentage points or more four times in five" in playbook.advice(action, VOICE).measure


def test_where_no_difference_could_be_seen_that_is_said():
    few = figure("churn.typical", 0.0, 0.3)
    assert "more than there is room for" in playbook._detectable(few, VOICE)[0]
    nearly_all = figure("retention.overdue_share", 0.7, 1.0, good="up")
    assert "more than there is room for" in playbook._detectable(nearly_all, VOICE)[0]
    assert playbook._detectable(None, VOICE) == []
    assert playbook._detectable(replace(few, low=None, high=None), VOICE) == []


def test_where_nothing_fires_it_says_so_and_what_was_watched():
    found = playbook.plan([figure(low=0.05, high=0.15), figure("nps.nps", -5.0, 5.0, "nps")], RULES.values())
    assert playbook.nothing(found, VOICE) == (
        "No figure lies past a limit of the playbook with its whole interval, so nothing is advised here. "
        "Watched: Departures that nobody chose (above 10.0%); Net Promoter Score (below 0)."
    )
    assert playbook.nothing(playbook.plan([], RULES.values()), VOICE) == (
        "No figure of this report is one that the playbook could judge, so nothing is advised here."
    )


def test_what_fires_beyond_the_summary_is_named():
    found = playbook.plan([past(rule, 0.01) for rule in list(RULES.values())[1:8]], list(RULES.values())[1:8])
    assert len(found.actions) == 7
    titles = [playbook.advice(action, VOICE).title for action in found.actions[5:]]
    assert playbook.rest(found, VOICE) == f"2 more rules fired: {titles[0]}; {titles[1]}."
    assert playbook.rest(replace(found, actions=found.actions[:5]), VOICE) == ""
    assert (
        playbook.rest(replace(found, actions=found.actions[:6]), VOICE)
        == f"One more rule fired: {titles[0]}."
    )


def test_a_unit_that_is_not_the_figures_is_refused():
    with pytest.raises(ReportError) as error:
        playbook.plan([figure("nps.nps", -5.0, -1.0, "share")], RULES.values())
    assert str(error.value) == "Playbook rule 'self_service' reads nps.nps as nps; it is share."


# -- a consultant's own ----------------------------------------------------------

OWN = """
payment_recovery: {above: 0.3, title: Ring the bank}
stop_the_leak: null
nps_falls:
  headline: nps.nps
  unit: nps
  below: 20
  title: Ask <why>
  why: Because.
  measure: Ask again.
  caution: Nothing.
"""


def own(tmp_path, text):
    path = tmp_path / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_consultants_rules_are_merged_over_ours(tmp_path):
    rules = {rule.name: rule for rule in playbook.read(own(tmp_path, OWN))}
    assert set(RULES) - set(rules) == {"stop_the_leak"}
    changed = rules["payment_recovery"]
    assert (changed.limit, changed.watch, changed.own) == (0.3, "churn.typical", True)
    assert not rules["onboarding"].own
    found = playbook.plan([figure(low=0.31, high=0.4), figure("nps.nps", 5.0, 15.0, "nps")], rules.values())
    told = [playbook.advice(action, VOICE) for action in found.actions]
    assert [(each.title, each.name) for each in told] == [
        ("Ask <why>", "nps_falls"),
        ("Ring the bank", "payment_recovery"),
    ]
    assert told[1].why == VOICE.say("playbook.payment_recovery.why")
    assert told[1].reason.endswith("above 30.0%, the limit set for this client.")


def test_a_limit_on_the_other_side_takes_the_place_of_ours(tmp_path):
    rules = playbook.read(own(tmp_path, "community: {below: 0.4}"))
    [rule] = [rule for rule in rules if rule.name == "community"]
    assert (rule.above, rule.limit) == (False, 0.4)


NEW = "mine:\n  headline: nps.nps\n  unit: nps\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "community: {abov: 0.4}",
            "mine.yaml line 1: unknown key 'abov'. Did you mean 'above'? Known keys: headline, unit, above, "
            "below, aim, watch, title, why, measure, caution.",
        ),
        ("comunity: null", "mine.yaml line 1: no rule 'comunity'. Did you mean 'community'?"),
        (
            "community: 3",
            "mine.yaml line 1: rule 'community' must be keys and values, or null to switch it off.",
        ),
        (
            "\ncommunity: {headline: nps.promoters}",
            "mine.yaml line 2: rule 'community': headline 'nps.promoters' is not known. "
            "Did you mean 'nps.promoter_share'?",
        ),
        (
            "community: {watch: nps.npss}",
            "mine.yaml line 1: rule 'community': watch 'nps.npss' is not known. Did you mean 'nps.nps'?",
        ),
        (
            "community: {unit: percent}",
            "mine.yaml line 1: rule 'community': unit 'percent' is not known. Known are share, points, "
            "money, count, nps, ratio, days.",
        ),
        (
            "community: {aim: now}",
            "mine.yaml line 1: rule 'community': aim 'now' is not known. Known are mend, build.",
        ),
        (
            "community: {above: 50}",
            "mine.yaml line 1: rule 'community': the limit of a share is a number such as 0.1 for 10 %, "
            "and it is 50.",
        ),
        (
            "community: {above: churn}",
            "mine.yaml line 1: rule 'community': the limit 'churn' is no number; thresholds of a share are "
            "churn_healthy, churn_urgent.",
        ),
        ("community: {above: true}", "mine.yaml line 1: rule 'community': the limit True is no number."),
        (
            "community: {above: 0.1, below: 0.2}",
            "mine.yaml line 1: rule 'community' needs above or below, one of them.",
        ),
        (
            "community: {why: 3}",
            "mine.yaml line 1: rule 'community': its words must be text; put them in quotes.",
        ),
        ("mine: {unit: nps, below: 3}", "mine.yaml line 1: rule 'mine' is missing headline."),
        (
            f"{NEW}  below: 3\n  title: Act\n",
            "mine.yaml line 1: rule 'mine': it needs words: why, measure, caution.",
        ),
    ],
)  # fmt: skip
def test_a_mistake_in_a_playbook_is_one_line(tmp_path, text, message):
    with pytest.raises(ParamsError) as error:
        playbook.read(own(tmp_path, text))
    assert str(error.value) == message


def test_a_playbook_that_is_not_there_is_one_line(tmp_path):
    with pytest.raises(ParamsError) as error:
        playbook.read(tmp_path / "gone.yaml")
    assert str(error.value) == (
        "playbook: there is no file gone.yaml. Give its path from the client file's folder."
    )
