"""The filter language: text in, servers out."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.model.fleets import some_fleet
from tui.model.filter.grammar import GRAMMAR, field_names, find_field, is_filter_name
from tui.model.filter.query import QueryError, Scope, parse, select
from tui.model.filter.values import repeats_repeats
from tui.model.listing.catalog import Catalog
from tui.model.listing.columns import COLUMNS
from tui.model.operation import State, Target
from tui.model.window import Hold

WEB2, WEB10, MAIL, DB1, DB2 = "WA1ACMEWEB2", "WA1ACMEWEB10", "WA1ACMEMAIL1", "VA1ACMEDB1", "VA1ACMEDB2"
ALL = {WEB2, WEB10, MAIL, DB1, DB2}


HOLDS = {WEB2: Hold("win-1", "CHG-1 disk swap"), DB1: Hold("win-2"), "GONE": Hold("win-2")}


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("mine:yes", {WEB2, DB1}),
        ("mine:no", ALL - {WEB2, DB1}),
        ("!mine:yes", ALL - {WEB2, DB1}),
        ("mine:yes web", {WEB2}),
        ("window:WIN-1", {WEB2}),
        ("window:win", set()),
        ("window:win-*", {WEB2, DB1}),
        ('window:"chg-1 disk swap"', {WEB2}),
        ('window:""', ALL - {WEB2, DB1}),
        ("reason:DISK", {WEB2}),
        ("reason:chg-?*", {WEB2}),
        ('reason:""', ALL - {WEB2}),
        ("(reason:disk or window:win-2) !db1", {WEB2}),
    ],
)
def test_servers_that_windows_hold_are_found(text: str, ids: set[str]) -> None:
    fleet = some_fleet()
    for id_ in HOLDS.keys() & fleet.servers.keys():
        fleet.update([replace(fleet.servers[id_], maintenance=True)])
    assert {server.id for server in select(fleet, text, holds=HOLDS)} == ids
    assert parse(text).of_windows
    assert parse("@it", {"it": text}).of_windows
    assert not parse("web maint:on marked:yes").of_windows


def found(text: str) -> set[str]:
    return {server.id for server in select(some_fleet(), text)}


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("", ALL),
        ("   ", ALL),
        ("web", {WEB2, WEB10, MAIL}),
        ("WEB acme", {WEB2, WEB10, MAIL}),
        ("web prod", {WEB10}),
        ("web and prod", {WEB10}),
        ('"mail relay"', {WEB10}),
        ('"relay mail"', set()),
        ('"(old) a/b"', {MAIL}),
        ('"web*"', set()),
        ('id:"*web?"', set()),
        ("a/b", {MAIL}),
        ("/b", {MAIL}),
        ("!web", {DB1, DB2}),
        ("!!web", {WEB2, WEB10, MAIL}),
        ("!web !db1", {DB2}),
        ("!(web or db1)", {DB2}),
        ("!(web prod)", ALL - {WEB10}),
        ("db or prod", {DB1, DB2, WEB10}),
        ("web prod or db1", {WEB10, DB1}),
        ("web (prod or webmail)", {WEB10, MAIL}),
        ("prod OR db1", {WEB10, DB1}),
        ("order", set()),
        ("wa1*web*", {WEB2, WEB10}),
        ("wa1**web?", {WEB2}),
        ("web?", {WEB2}),
        ("web1", {WEB10}),
        ("we?10", {WEB10}),
        ("id:web", {WEB2, WEB10}),
        ("id:web*", set()),
        ("id:*web?", {WEB2}),
        ("name:MAIL", {MAIL}),
        ("os:ubuntu", {WEB10, MAIL}),
        ('os:""', {DB1}),
        ("!os:*", {DB1}),
        ("os:*", ALL - {DB1}),
        ("power:started", {WEB2, MAIL}),
        ("power:start", set()),
        ("power:/x/", set()),
        ("power:st*", {WEB2, WEB10, MAIL}),
        ('power:""', {DB1}),
        ("status:archived", {DB1}),
        ("dc:va1", {DB1, DB2}),
        ("datacenter:WA1", {WEB2, WEB10, MAIL}),
        ("maint:on", {WEB2}),
        ("maintenance:off", {WEB10, MAIL}),
        ("maint:unknown", {DB1, DB2}),
        ('maint:""', {DB1, DB2}),
        ("maint:yes", {WEB2}),
        ("maint:true", {WEB2}),
        ("maint:no", {WEB10, MAIL}),
        ("maint:false", {WEB10, MAIL}),
        ("!maint:on", ALL - {WEB2}),
        ("group:web", {WEB2, WEB10}),
        ("group:web/prod", {WEB10}),
        ("group:/web/prod/", {WEB10}),
        ("group:prod", {WEB10}),
        ("group:web*", {WEB2, WEB10, MAIL}),
        ('group:"data base"', {DB1, DB2}),
        ("group:web/mail", set()),
        ("cpu:8", {WEB10}),
        ("cpu:>=8", {WEB10, DB2}),
        ("cpu:<8", {WEB2, MAIL}),
        ("!cpu:<8", {WEB10, DB1, DB2}),
        ("cpu:2..4", {WEB2, MAIL}),
        ('cpu:""', {DB1}),
        ("mem:<4g", {WEB2, MAIL}),
        ("mem:2", {WEB2}),
        ("mem:512m", {MAIL}),
        ("memory:>=0.125t", {DB2}),
        ("ram:2..8", {WEB2, WEB10}),
        ("ip:10.0.0.", {WEB2, WEB10}),
        ("desc:relay", {WEB10}),
        ("changed:2026-11", {WEB10}),
        ("changed:>=2026-10-01", {WEB10, MAIL}),
        ("changed:<2026-11", {MAIL}),
        ('changed:""', {WEB2, DB1, DB2}),
        ('changed:"2026-11-20 10:00"', {WEB10}),
        ("re:/web[0-9]$/", {WEB2}),
        ("re:/^mail relay$/", {WEB10}),
        ("re:/a\\/b/", {MAIL}),
        ("re:/A\\//", {MAIL}),
        (r"re:/b\\/", set()),
        ("name:/^(web|db)\\d$/", {WEB2, DB1, DB2}),
        ("marked:yes", set()),
        ("marked:on", set()),
        ("marked:no", ALL),
        ("marked:off", ALL),
        ("op:*", set()),
        ("!op:failed", ALL),
    ],
)
def test_a_filter_finds_its_servers(text: str, ids: set[str]) -> None:
    assert found(text) == ids


def test_results_are_in_natural_order() -> None:
    assert [server.id for server in select(some_fleet(), "web?* or web2")] == [MAIL, WEB2, WEB10]


NAMED = {
    "web": "group:web or name:mail", "on": "maint:on", "both": "@web @on", "loop": "web @pool",
    "pool": "@loop", "bad": "cpu:", "empty": " ",
}  # fmt: skip
CHAIN = {f"n{number}": f"@n{number + 1} @n{number + 1}" for number in range(60)} | {"n60": "web"}


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("@web", {WEB2, WEB10, MAIL}),
        ("@web !@on", {WEB10, MAIL}),
        ("@both", {WEB2}),
        ("(@on or db1)", {WEB2, DB1}),
    ],
)
def test_a_named_filter_stands_for_its_text(text: str, ids: set[str]) -> None:
    assert {server.id for server in select(some_fleet(), text, NAMED)} == ids


@pytest.mark.parametrize(
    ("text", "position", "message"),
    [
        ("web @nope", 4, "no filter named 'nope'; there are bad, both"),
        ("@loop", 0, "'loop' is part of itself"),
        ("on @bad", 3, "in the filter named 'bad': cpu: needs a value"),
        ("@empty", 0, "is empty"),
        ("@n0", 0, "more than 10 named filters within one another"),
        ("@n50", 0, "more than 10 named filters within one another"),
    ],
)
def test_an_error_in_a_named_filter_is_explained_with_its_position(
    text: str, position: int, message: str
) -> None:
    with pytest.raises(QueryError, match=re.escape(message)) as caught:
        parse(text, NAMED | CHAIN if "@n" in text else NAMED)
    assert caught.value.position == position


def test_ten_named_filters_may_be_within_one_another() -> None:
    assert parse("@n51", CHAIN)


def test_matches_of_a_named_filter_are_highlighted() -> None:
    assert parse("@web", NAMED).spans("name", "webmail") == [(3, 7)]
    assert parse("name:w @web", NAMED).spans("name", "webmail") == [(0, 1), (3, 7)]
    assert parse("!@web", NAMED).spans("name", "webmail") == []


def test_filters_can_use_marks_and_states() -> None:
    catalog = Catalog(some_fleet())
    states = {WEB2: Target(WEB2, State.FAILED), DB1: Target(DB1, State.EXECUTING)}
    scope = Scope(catalog, {MAIL, DB1}, states)

    def ids(text: str) -> set[str]:
        return {catalog.ids[row] for row in parse(text).bind(scope)(range(len(catalog)))}

    assert ids("marked:yes") == {MAIL, DB1}
    assert ids("marked:no web") == {WEB2, WEB10}
    assert ids("op:failed") == {WEB2}
    assert ids("op:running") == ids("op:executing") == {DB1}
    assert ids("op:*") == {WEB2, DB1}
    assert ids("marked:yes or op:failed") == {MAIL, DB1, WEB2}


NO_NUMBER = "takes a number, with >= or < before it, or a range like 2..8, not"


@pytest.mark.parametrize(
    ("text", "position", "message"),
    [
        ('web "mail', 4, "this quote is not closed"),
        ("(web or db", 0, "this ( is not closed"),
        ("web)", 3, "this ) closes nothing"),
        (")", 0, "there is nothing before this )"),
        ("web or", 6, "something is missing here at the end"),
        ("or web", 0, "nothing stands before this or; quote the word to search for it"),
        ("web and or db", 8, "nothing stands before this or; quote the word to search for it"),
        ("!", 1, "something is missing here at the end"),
        ("()", 1, "there is nothing before this )"),
        (
            "colour:red",
            0,
            "there is no field 'colour'; there are id, group, power, maint, op, status, changed, name, dc, "
            "cpu, memory, ip, os, description, marked, mine, window, reason, re. "
            "Quote text that has a colon in it",
        ),
        ("web power:", 10, 'power: needs a value, as in power:web, or power:"" for an empty one'),
        ("CPU:", 4, "CPU: needs a value, as in cpu:>=8"),
        ("maint:perhaps", 6, "on or off or unknown can stand here, not 'perhaps'"),
        ("maint:/on/", 6, "on or off or unknown can stand here, not '/on/'"),
        ("marked:maybe", 7, "yes or no can stand here, not 'maybe'"),
        ("cpu:many", 4, f"cpu: {NO_NUMBER} 'many'"),
        ("cpu:8g", 4, f"cpu: {NO_NUMBER} '8g'"),
        ("cpu:2..", 4, f"cpu: {NO_NUMBER} '2..'"),
        ("cpu:..8", 4, f"cpu: {NO_NUMBER} '..8'"),
        (
            "mem:4q",
            4,
            "memory: takes a size like 4g or 512m, with >= or < before it, or a range like 2..8, not '4q'",
        ),
        ("changed:yesterday", 8, "a date is written 2026-11-23, or just 2026-11, not 'yesterday'"),
        (
            "op:nope",
            3,
            "there is no state 'nope'; there are planned, sending, queued, running, looking, checking, "
            "verified, refused, failed, unsure, not sent; * is any",
        ),
        ("re:web", 3, "a pattern stands between slashes, as in re:/web[0-4]/"),
        ("re:/web", 3, "this pattern has no / at its end"),
        ("re:/(a+)+$/", 4, "a repeated group that repeats something itself could run for ever"),
        ('""', 1, "nothing to search for stands between these quotes"),
        ("web @nope", 4, "there is no filter named 'nope'"),
    ],
)
def test_an_error_is_explained_with_its_position(text: str, position: int, message: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse(text)
    assert (caught.value.position, str(caught.value)) == (position, message)


@pytest.mark.parametrize(
    ("text", "position"),
    [("web re:/(/", 8), ("re:/)/", 4), (r"web re:/a\/(/", 11), ("re:/a{99999999999}/", 4)],
)
def test_a_pattern_that_does_not_parse_is_explained_with_its_position(text: str, position: int) -> None:
    with pytest.raises(QueryError, match="the pattern does not parse: ") as caught:
        parse(text)
    assert caught.value.position == position


def test_the_depth_of_parentheses_is_limited() -> None:
    deep = "(" * 50 + "web" + ")" * 50
    assert found(deep) == found(f"(web) {deep}") == {WEB2, WEB10, MAIL}
    for before in ("", "(web) "):
        with pytest.raises(QueryError, match="more than 50 parentheses") as caught:
            parse(f"{before}({deep})")
        assert caught.value.position == len(before) + 50
    assert found("!" * 100_000 + "web") == {WEB2, WEB10, MAIL}


@pytest.mark.parametrize("rule", GRAMMAR, ids=lambda rule: rule.form)
def test_every_example_of_the_table_parses(rule: object) -> None:
    assert isinstance(rule, type(GRAMMAR[0]))
    for example in rule.examples:
        assert parse(example), example


def test_every_column_is_a_field() -> None:
    for name in (*COLUMNS, "marked", "re"):
        assert name in field_names()
        assert find_field(name.upper()) is not None


@pytest.mark.parametrize(
    ("name", "valid"),
    [("web", True), ("web-1.prod_2", True), ("", False), ("web db", False), ("@web", False)],
)
def test_the_name_of_a_filter_is_one_word(name: str, *, valid: bool) -> None:
    assert is_filter_name(name) is valid


@given(st.text(alphabet='abw1 ()!":/*?.<>=[]\\|+or', max_size=25))
def test_any_text_parses_or_gives_an_error_with_its_position(text: str) -> None:
    error: QueryError | None = None
    try:
        query = parse(text)
    except QueryError as caught:
        error = caught
    if error is not None:
        assert 0 <= error.position <= len(text)
        assert str(error)
        return
    catalog = Catalog(some_fleet())
    rows = query.bind(Scope(catalog))(range(len(catalog)))
    assert rows == sorted(set(rows))


TERMS = st.sampled_from(
    ["web", "db1", "power:started", "maint:on", "cpu:>=4", "group:web", "wa1*", "re:/1$/", 'os:""']
)
QUERIES = st.recursive(
    TERMS,
    lambda inner: st.one_of(
        st.tuples(st.just("!({})"), inner).map(lambda each: each[0].format(each[1])),
        st.tuples(inner, inner).map(lambda each: f"({each[0]} {each[1]})"),
        st.tuples(inner, inner).map(lambda each: f"({each[0]} or {each[1]})"),
    ),
    max_leaves=6,
)


@given(QUERIES, QUERIES)
def test_filters_combine_as_boolean_algebra(one: str, other: str) -> None:
    assert found(f"{one} {other}") == found(one) & found(other)
    assert found(f"{one} or {other}") == found(one) | found(other)
    assert found(f"!({one})") == ALL - found(one)


@given(QUERIES, st.integers(1, 5))
def test_filtering_in_slices_finds_the_same_rows(text: str, size: int) -> None:
    catalog = Catalog(some_fleet())
    match = parse(text).bind(Scope(catalog))
    whole = range(len(catalog))
    assert [row for start in whole[::size] for row in match(whole[start : start + size])] == match(whole)


@pytest.mark.parametrize(
    ("text", "column", "shown", "spans"),
    [
        ("web", "id", "WA1ACMEWEB2", [(7, 10)]),
        ("we b2", "id", "WA1ACMEWEB2", [(7, 11)]),
        ("web web2", "id", "WA1ACMEWEB2", [(7, 11)]),
        ("name:web", "id", "WA1ACMEWEB2", []),
        ("name:web", "name", "web2", [(0, 3)]),
        ("name:/web/", "id", "WA1ACMEWEB2", []),
        ("name:/web/", "name", "web2", [(0, 3)]),
        ("!web", "id", "WA1ACMEWEB2", []),
        ("!db web", "id", "WA1ACMEWEB2", [(7, 10)]),
        ("!(web or !acme)", "id", "WA1ACMEWEB2", [(3, 7)]),
        ("re:/[0-9]/", "id", "WA1ACMEWEB2", [(2, 3), (10, 11)]),
        ("re:/x*/", "id", "WA1", []),
        ("on", "maint", "on", []),
        ('"a.b"', "name", "aXb a.b", [(4, 7)]),
    ],
)
def test_matches_are_highlighted(text: str, column: str, shown: str, spans: list[tuple[int, int]]) -> None:
    assert parse(text).spans(column, shown) == spans


@pytest.mark.parametrize(
    ("pattern", "risky"),
    [("(a+)+", True), ("(a*)*$", True), ("((ab)+c)*", True), ("(a{2,})+", True), ("(web|db)+", False),
     ("a+b+", False), (r"(\+)+", False), ("([+*])+", False), ("(a+)?", False), ("web[0-9]+", False),
     ("(a+){2,}", True), ("(a+(b))+", True), ("((a+)b)+", True), ("(X)+", False)],
)  # fmt: skip
def test_patterns_that_could_run_for_ever_are_detected(pattern: str, risky: bool) -> None:
    assert repeats_repeats(pattern) is risky
