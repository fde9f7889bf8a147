"""Servers found in what was pasted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.model.fleets import make_fleet, some_fleet
from tui.model.fleet import Fleet
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


def test_a_mail() -> None:
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
        "**WA1ACMEWEB2** _WA1ACMEWEB10_ __wa1acmeweb10__",
        "WA1ACMEWEB2/eth0 wa1acmeweb10-eth0",
        "https://portal/servers/wa1acmeweb2?x=1&id=WA1ACMEWEB10#top",
        "WA1AC\u00adMEWEB2\u200b \ufeffWA1ACMEWEB10\xa0",
        "servers=WA1ACMEWEB2:WA1ACMEWEB10",
    ],
)
def test_any_surroundings(text: str) -> None:
    assert find_servers(text, some_fleet()).ids == (WEB2, WEB10)


def test_words_that_are_no_ids_are_not_called_unknown() -> None:
    found = find_servers(
        "Sunday 22:00 CHG-4711 web tier WA1 va1 10.0.0.1 kernel-4.18 wa1-ish ACME", some_fleet()
    )
    assert found == Found()
    assert not found


def test_what_looks_like_an_id_and_is_none_is_told_once_as_written() -> None:
    found = find_servers("wa1acmegone Wa1AcmeGone WA1OTHERWEB01 de1acmeweb01 WA1ACME", some_fleet())
    assert found.unknown == ("wa1acmegone", "WA1OTHERWEB01")


def test_a_name_that_several_servers_bear_is_not_guessed() -> None:
    fleet = make_fleet(Server("WA1ACMEA1", "twin", "", "WA1"), Server("WA1ACMEB1", "TWIN", "", "WA1"))
    assert find_servers("twin wa1acmeb1 Twin", fleet) == Found(ids=("WA1ACMEB1",), ambiguous=("twin",))


def test_an_id_counts_before_a_name() -> None:
    fleet = make_fleet(Server("WA1ACMEA1", "wa1acmeb1", "", "WA1"), Server("WA1ACMEB1", "other", "", "WA1"))
    assert find_servers("WA1ACMEB1", fleet).ids == ("WA1ACMEB1",)


def test_five_thousand_lines() -> None:
    servers = [Server(f"WA1ACMEWEB{number:04}", f"web{number}", "", "WA1") for number in range(5000)]
    text = "\n".join(
        f"{server.id.lower()};some note {server.name};2026-11-23" for server in reversed(servers)
    )
    found = find_servers(text, make_fleet(*servers))
    assert (len(found.ids), found.ids[0], found.unknown) == (5000, "WA1ACMEWEB4999", ())


@given(st.text())
def test_any_text_is_taken(text: str) -> None:
    assert find_servers(text, Fleet("ACME")) == Found()
    found = find_servers(text, some_fleet())
    assert len(set(found.ids)) == len(found.ids)
