"""Finding servers in pasted text."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.model.fleets import make_fleet, some_fleet
from tui.model.fleet import Fleet
from tui.model.group import DataCenter
from tui.model.server import Server
from tui.model.ticket import Found, find_servers

WEB2, WEB10, MAIL = "WA1ACMEWEB2", "WA1ACMEWEB10", "WA1ACMEMAIL1"

MAIL_TEXT = """\
From: change@example.com
Subject: Re: CHG-4711 - kernel updates

> Please take these down on Sunday 22:00:
> - wa1acmeweb2 (web tier), then
> - "WA1ACMEWEB10";WA1ACMEMAIL1,
> - wa1acmeweb2 again, and WA1ACMEWEB99
Thanks, Web Team
"""


def test_servers_are_found_in_a_mail() -> None:
    assert find_servers(MAIL_TEXT, some_fleet(), {MAIL}) == Found((WEB2, WEB10), (MAIL,), ("WA1ACMEWEB99",))


@pytest.mark.parametrize(
    "text",
    [
        "id,name,owner\nWA1ACMEWEB2,web2,ops\nWA1ACMEWEB10,web10,ops\n",
        "| WA1ACMEWEB2 | up |\n| WA1ACMEWEB10 | up |",
        "web2\tok\r\nweb10\tok\r\n",
        "WEB2 Web10",
        "web2.corp.example.com web10.corp.example.com.",
        "(wa1acmeweb2),[wa1acmeweb10]",
        "_web2_ __web10__",
        "**WA1ACMEWEB2** _WA1ACMEWEB10_ __wa1acmeweb10__",
        "WA1ACMEWEB2/eth0 wa1acmeweb10-eth0",
        "https://portal/servers/wa1acmeweb2?x=1&id=WA1ACMEWEB10#top",
        "WA1AC\u00adMEWEB2\u200b \ufeffWA1ACMEWEB10\xa0",
        "servers=WA1ACMEWEB2:WA1ACMEWEB10",
    ],
)
def test_ids_are_found_in_any_surroundings(text: str) -> None:
    assert find_servers(text, some_fleet()).ids == (WEB2, WEB10)


@pytest.mark.parametrize("text", ["web03-backup", "web[03-6]", "lost [1-3]"])
def test_a_name_counts_only_where_it_stands_alone(text: str) -> None:
    assert find_servers(text, numbered_fleet()) == Found()


def test_numbers_after_other_words_are_not_reported() -> None:
    assert find_servers("build07, 08 release01/02 CHG01 - 05 KB12 to 14", some_fleet()) == Found()


def test_words_that_are_no_ids_are_not_reported_as_unknown() -> None:
    found = find_servers(
        "Sunday 22:00 CHG-4711 web tier WA1 va1 10.0.0.1 kernel-4.18 wa1-ish ACME", some_fleet()
    )
    assert found == Found()
    assert not found


@pytest.mark.parametrize("part", ["ids", "marked", "unknown", "ambiguous", "unclear"])
def test_anything_reported_counts_as_found(part: str) -> None:
    assert Found(**{part: ("WA1",)})  # type: ignore[arg-type]


def test_an_unknown_id_is_reported_once_as_it_is_written() -> None:
    text = (
        "wa1acmegone Wa1AcmeGone WA1OTHERWEB01 de1acmeweb01 WA1ACME WA1ACME-OLD-7 x-WA1ACMEGONE8 "
        "web2.WA1ACMEGONE9.example"
    )
    found = find_servers(text, some_fleet())
    assert found.unknown == ("wa1acmegone", "WA1OTHERWEB01", "WA1ACME-OLD-7", "WA1ACMEGONE8", "WA1ACMEGONE9")


def test_a_name_of_several_servers_is_reported_as_ambiguous() -> None:
    fleet = make_fleet(Server("WA1ACMEA1", "twin", "", "WA1"), Server("WA1ACMEB1", "TWIN", "", "WA1"))
    assert find_servers("twin wa1acmeb1 Twin", fleet) == Found(ids=("WA1ACMEB1",), ambiguous=("twin",))


def test_an_id_takes_precedence_over_a_name() -> None:
    fleet = make_fleet(Server("WA1ACMEA1", "wa1acmeb1", "", "WA1"), Server("WA1ACMEB1", "other", "", "WA1"))
    assert find_servers("WA1ACMEB1", fleet).ids == ("WA1ACMEB1",)


def test_five_thousand_lines_are_searched() -> None:
    servers = [Server(f"WA1ACMEWEB{number:04}", f"web{number}", "", "WA1") for number in range(5000)]
    text = "\n".join(
        f"{server.id.lower()};some note {server.name};2026-11-23" for server in reversed(servers)
    )
    found = find_servers(text, make_fleet(*servers))
    assert (len(found.ids), found.ids[0], found.unknown) == (5000, "WA1ACMEWEB4999", ())


def numbered_fleet(count: int = 20) -> Fleet:
    """WA1ACMEWEB01, 02 and so on, named web01, web02, and one whose name has a hyphen and digits."""
    servers = [Server(f"WA1ACMEWEB{n:02}", f"web{n:02}", "", "WA1") for n in range(1, count + 1)]
    return make_fleet(*servers, Server("WA1ACMEAPP01", "web03-05", "", "WA1"))


def webs(first: int, last: int) -> tuple[str, ...]:
    return tuple(f"WA1ACMEWEB{number:02}" for number in range(first, last + 1))


@pytest.mark.parametrize(
    "text",
    [
        "WA1ACMEWEB03-WA1ACMEWEB06",
        "wa1acmeweb03..wa1acmeweb06",
        "WA1ACMEWEB03...06",
        "WA1ACMEWEB03-06",
        "WA1ACMEWEB03..06",
        "WA1ACMEWEB03\u201306",
        "WA1ACMEWEB03\u2014WA1ACMEWEB06",
        "WA1ACMEWEB03\u202606",
        "WA1ACMEWEB0[3-6]",
        "WA1ACMEWEB[03-06]",
        "WA1ACMEWEB{03..06}",
        "WA1ACMEWEB{03,04,05-06}",
        "WA1ACMEWEB0{3, 4, 5, 6}",
        "WA1ACMEWEB03/04/05/06",
        "WA1ACMEWEB03_WA1ACMEWEB04_WA1ACMEWEB05_WA1ACMEWEB06",
        "web03..web06",
        "web03-web06",
        "web[03-06]",
        "web03/04/05/06, please",
        "(web03-06).",
    ],
)
def test_ranges_are_expanded(text: str) -> None:
    found = find_servers(f"take down {text} tonight", numbered_fleet())
    assert found == Found(ids=webs(3, 6), ranges=int("_" not in text))


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("WA1ACMEWEB06-WA1ACMEWEB03", ()),
        ("WA1ACMEWEB03-6", ()),
        ("WA1ACMEWEB03..6", ()),
        ("WA1ACMEWEB03..0006", ()),
        ("WA1ACMEWEB03-04-06", ()),
        ("WA1ACMEWEB03_06", ()),
        ("WA1ACMEWEB03.06", ()),
        ("WA1ACMEWEB[03-6]", ()),
        ("WA1ACMEWEB[0-1-2]", ()),
        ("web03[1-]", ()),
        ("WA1ACMEWEB03/6", ()),
        ("WA1ACMEWEB0001-WA1ACMEWEB2000", ()),
        ("WA1ACMEWEB03 - 04", ("WA1ACMEWEB03",)),
        ("WA1ACMEWEB03 - 06", ("WA1ACMEWEB03",)),
        ("WA1ACMEWEB06 - 03", ("WA1ACMEWEB06",)),
        ("WA1ACMEWEB03 - WA1ACMEWEB05", ("WA1ACMEWEB03", "WA1ACMEWEB05")),
        ("WA1ACMEWEB03, 06", ("WA1ACMEWEB03",)),
        ("WA1ACMEWEB03 - WA1ACMEWEB06", ("WA1ACMEWEB03", "WA1ACMEWEB06")),
        ("WA1ACMEWEB03 to WA1ACMEWEB06", ("WA1ACMEWEB03", "WA1ACMEWEB06")),
        ("web03 through web06", ("WA1ACMEWEB03", "WA1ACMEWEB06")),
    ],
)
def test_an_unclear_range_is_reported_and_not_guessed(text: str, ids: tuple[str, ...]) -> None:
    assert find_servers(f"take down {text} tonight", numbered_fleet()) == Found(ids=ids, unclear=(text,))


def test_missing_servers_of_a_range_are_reported_as_unknown() -> None:
    found = find_servers("WA1ACMEWEB19-22, WA1ACMEDB97..99 and wa1acmeweb22", numbered_fleet())
    assert found.ids == webs(19, 20)
    assert found.unknown == (*webs(21, 22), "WA1ACMEDB97", "WA1ACMEDB98", "WA1ACMEDB99")
    assert found.ranges == 2


def test_a_name_takes_precedence_over_a_range() -> None:
    assert find_servers("web03-05", numbered_fleet()) == Found(ids=("WA1ACMEAPP01",))


def test_joined_ids_are_all_found() -> None:
    found = find_servers(
        "WA1ACMEWEB01_WA1ACMEGONE7 WA1ACMEWEB02-WA1ACMEAPP01 web04_web05 web06-WA1ACMEGONE8", numbered_fleet()
    )
    assert found.ids == ("WA1ACMEWEB01", "WA1ACMEWEB02", "WA1ACMEAPP01", *webs(4, 6))
    assert found.unknown == ("WA1ACMEGONE7", "WA1ACMEGONE8")


@pytest.mark.parametrize(
    "text",
    [
        "WA1ACMEWEB03-eth0",
        "WA1ACMEWEB03-2026-11-23.log",
        "WA1ACMEWEB03 (WA1ACMEWEB03)",
        "WA1ACMEWEB03[1]",
        "WA1ACMEWEB03 - 22:00",
        "WA1ACMEWEB03 - kernel 4.18-20, KB5001-02, 10.0.0.1-9, CHG01..CHG05, 2026-11-23..24",
        "WA1ACMEWEB03/24:80 https://x/WA1ACMEWEB03/5432",
        "WA1ACMEWEB03...then lunch",
        "WA1ACMEWEB03.acme.example.com",
        "web03.rack1-3",
        "WA1ACMEWEB03-2026",
        "WA1ACMEWEB03 - 2026",
        "WA1ACMEWEB03 - (reboot)",
        "WA1ACMEWEB03-eth0-3",
    ],
)
def test_an_id_with_other_text_after_it_is_not_taken_for_a_range(text: str) -> None:
    assert find_servers(text, numbered_fleet()) == Found(ids=("WA1ACMEWEB03",))


def test_a_range_has_at_most_a_thousand_names() -> None:
    found = find_servers("WA1ACMEX[0000-0999] WA1ACMEY0000-0999", numbered_fleet())
    assert (len(found.unknown), found.ranges, found.unclear) == (2_000, 2, ())
    number = "000000000000000001"
    assert find_servers(f"WA1ACMEX{number}-{number}", numbered_fleet()).unknown == (f"WA1ACMEX{number}",)
    assert find_servers(f"WA1ACMEX0{number}-0{number}", numbered_fleet()).unknown == ()
    long = ("WA1ACMEX[0000-1000]", "WA1ACMEX[0000-0999,1000]", "WA1ACMEY0000-1000")
    assert find_servers(" ".join(long), numbered_fleet()) == Found(unclear=long)


@pytest.mark.parametrize(
    ("joint", "other"),
    [(".", "WA1ACMEWEB06"), ("_", "WA1ACMEWEB06"), (", ", "WA1ACMEWEB06"), (" - ", "WA1ACMEWEB04"),
     (" and ", "WA1ACMEWEB04")],
)  # fmt: skip
def test_two_ids_side_by_side_are_no_range(joint: str, other: str) -> None:
    found = find_servers(f"WA1ACMEWEB03{joint}{other}", numbered_fleet())
    assert found == Found(ids=("WA1ACMEWEB03", other))


def test_underscores_before_a_range_do_not_belong_to_it() -> None:
    assert find_servers("__web[03-06]", numbered_fleet()) == Found(ids=webs(3, 6), ranges=1)


def test_a_range_starts_at_the_longest_name_that_is_a_server() -> None:
    fleet = make_fleet(Server("WA1ACMEAPP05", "rack01-05", "", "WA1"))
    found = find_servers("rack01-05-07", fleet)
    assert found == Found(ids=("WA1ACMEAPP05",), unknown=("rack01-06", "rack01-07"), ranges=1)


@pytest.mark.parametrize("length", [128, 129])
def test_a_very_long_word_is_no_id(length: int) -> None:
    word = "WA1ACME".ljust(length, "X")
    assert find_servers(word, numbered_fleet()).unknown == ((word,) if length <= 128 else ())


def test_the_number_of_ids_from_ranges_is_limited() -> None:
    text = " ".join(f"WA1ACMEX{number}Y000-999" for number in range(100))
    found = find_servers(text, numbered_fleet())
    assert len(found.unknown) == 50_000
    assert len(found.unclear) == 50


def test_ids_of_a_data_center_that_was_not_read_are_reported_as_unknown() -> None:
    fleet = numbered_fleet()
    fleet.expect(["WA1", "UC1"])
    assert find_servers("UC1ACMEWEB01 and uc1otherdb07", fleet).unknown == ("UC1ACMEWEB01", "uc1otherdb07")


def test_ids_are_known_before_any_server_is_read() -> None:
    fleet = Fleet("ACME")
    assert not find_servers("WA1ACMEWEB01 UC1ACMEWEB01", fleet)
    fleet.replace(DataCenter("WA1"), [], [], at=1.0)
    assert find_servers("WA1ACMEWEB01 UC1ACMEWEB01", fleet).unknown == ("WA1ACMEWEB01",)
    fleet = Fleet("ACME")
    fleet.expect(["UC1"])
    assert find_servers("WA1ACMEWEB01 UC1ACMEWEB01", fleet).unknown == ("UC1ACMEWEB01",)


def test_without_an_account_an_unknown_id_ends_in_digits() -> None:
    fleet = make_fleet(Server("WA1WEB1", "", "", "WA1"), account="")
    assert find_servers("WA1TIER WA1WEB02 WA1WEB1", fleet) == Found(ids=("WA1WEB1",), unknown=("WA1WEB02",))


PIECES = st.sampled_from(
    ["WA1ACMEWEB01", "WA1ACMEWEB02", "wa1acmeweb20", "WA1ACMEWEB77", "web04", "01", "05", "7", "005",
     "-", "--", "_", ".", "..", "[", "]", "{", "}", ",", "/", "\u2013", "\u2026", "~", " ", "x", "eth0"]
)  # fmt: skip


@example("web04.01-WA1ACMEWEB77")
@given(st.lists(PIECES, max_size=12).map("".join))
def test_every_id_of_a_text_is_reported(text: str) -> None:
    """An id is found, unknown or unclear, whatever surrounds it, and whatever is found is in the text."""
    fleet = numbered_fleet()
    found = find_servers(text, fleet)
    reported = " ".join((*found.ids, *found.unknown, *found.ambiguous, *found.unclear)).upper()
    words = re.findall(r"(?<![^\W_])WA1ACMEWEB\d\d(?![^\W_])", text.upper())
    assert [word for word in words if word not in reported] == []
    if not found.ranges:
        names = {server.id: server.name.upper() for server in fleet.servers.values()}
        assert all(id_ in text.upper() or names[id_] in text.upper() for id_ in found.ids)


@given(
    st.from_regex(
        r"(WA1ACMEWEB|web|WA1ACMEX)[0-9]{1,3}([-_.]{1,2}(WA1ACMEWEB|web)?[0-9]{1,3}){0,3}", fullmatch=True
    )
)
def test_a_word_is_found_unknown_or_unclear(word: str) -> None:
    """One word is found, or unknown, or unclear; only a range or joined ids give several."""
    found = find_servers(word, numbered_fleet())
    if found.unclear:
        assert found == Found(unclear=(word,))
    if not found.ranges and not re.search("[-_.]", word):
        assert len(found.ids) + len(found.unknown) <= 1


@given(st.text())
def test_any_text_is_accepted(text: str) -> None:
    assert find_servers(text, Fleet("ACME")) == Found()
    found = find_servers(text, some_fleet())
    assert len(set(found.ids)) == len(found.ids)
