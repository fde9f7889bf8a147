"""The login: what is filled in, what is sent, and what is kept after a refusal."""

import pytest

from tests.console.scripted import LOGGED_IN, REAL, SANDBOX, ScriptedEngine, fleet_of, make_app, until
from tui.console.options import StartOptions
from tui.console.screens.login import EndpointChoice, LoginScreen
from tui.console.screens.relogin import ReloginScreen
from tui.console.screens.servers import ServersScreen
from tui.console.widgets.line_input import LineInput
from tui.engine import events
from tui.settings.schema import Profile, Settings

REFUSED = "We didn't recognize the username or password you entered. [Please] try again."


def text(app: object, selector: str) -> str:
    """The text of a widget on the screen."""
    return str(app.screen.query_one(selector).render())  # type: ignore[attr-defined]


async def test_the_sandbox_is_labelled_and_needs_only_enter() -> None:
    engine = ScriptedEngine(fleet_of(4))
    app = make_app(engine)
    async with app.run_test() as pilot:
        await until(pilot, lambda: app.engine)
        assert "sandbox" in text(app, "#message")
        assert "nothing real is touched" in text(app, "#message")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ServersScreen))
    assert engine.calls_to("login") == [("sandbox", "demo", "pitstop", "")]


async def test_a_real_endpoint_has_empty_fields_and_the_focus_on_the_user() -> None:
    app = make_app(ScriptedEngine(), endpoints=(REAL,))
    async with app.run_test() as pilot:
        await until(pilot, lambda: app.engine)
        assert app.focused is app.screen.query_one("#user")
        assert [field.value for field in app.screen.query(LineInput)] == ["", "", ""]


async def test_a_profile_fills_in_its_user_and_account() -> None:
    settings = Settings(profiles={"prod": Profile(url=REAL.url, user="ops@example", account="ACMD")})
    app = make_app(ScriptedEngine(), endpoints=(REAL,), settings=settings)
    async with app.run_test() as pilot:
        await until(pilot, lambda: app.engine)
        assert [field.value for field in app.screen.query(LineInput)] == ["ops@example", "", "ACMD"]
        assert app.focused is app.screen.query_one("#password")


async def test_choosing_another_endpoint_clears_the_sandboxs_credentials() -> None:
    app = make_app(ScriptedEngine(), endpoints=(SANDBOX, REAL))
    async with app.run_test() as pilot:
        await until(pilot, lambda: app.engine)
        app.screen.query_one(EndpointChoice).focus()
        await pilot.press("right")
        assert [field.value for field in app.screen.query(LineInput)] == ["", "", ""]
        assert text(app, "#message") == ""
        await pilot.press("left")
        assert [field.value for field in app.screen.query(LineInput)] == ["demo", "pitstop", ""]


async def test_repeated_enter_sends_one_login() -> None:
    engine = ScriptedEngine(auto_answer=False)
    app = make_app(engine, endpoints=(REAL,))
    async with app.run_test() as pilot:
        await until(pilot, lambda: app.engine)
        await pilot.press(*"ops", "tab", *"secret", "tab", *"acmd", "enter", "enter", "enter")
        assert engine.calls_to("login") == [("prod", "ops", "secret", "acmd")]
        assert app.screen.query_one("#form").disabled


async def test_a_refusal_shows_its_message_and_keeps_the_user() -> None:
    engine = ScriptedEngine(auto_answer=False)
    app = make_app(engine, endpoints=(REAL,))
    async with app.run_test() as pilot:
        await until(pilot, lambda: app.engine)
        await pilot.press(*"ops", "tab", *"wrong", "enter")
        engine.emit(events.LoginFailed(REFUSED, refused=True))
        await until(pilot, lambda: REFUSED in text(app, "#message"))
        assert app.screen.query_one("#user", LineInput).value == "ops"
        assert app.screen.query_one("#password", LineInput).value == ""
        assert app.focused is app.screen.query_one("#password")
        assert len(engine.calls_to("login")) == 1, "no login is sent without a key"
        await pilot.press(*"right", "enter")
        assert engine.calls_to("login")[1:] == [("prod", "ops", "right", "")]


async def test_an_unreachable_endpoint_keeps_the_typed_credentials() -> None:
    engine = ScriptedEngine(auto_answer=False)
    app = make_app(engine, endpoints=(REAL,))
    async with app.run_test() as pilot:
        await until(pilot, lambda: app.engine)
        await pilot.press(*"ops", "tab", *"secret", "enter")
        engine.emit(events.LoginFailed("api.example.net does not answer: connection refused", refused=False))
        await until(pilot, lambda: "connection refused" in text(app, "#message"))
        await pilot.press("enter")
        assert len(engine.calls_to("login")) == 2


@pytest.mark.parametrize("missing", ["user", "password"])
async def test_nothing_is_sent_without_a_user_and_a_password(missing: str) -> None:
    engine = ScriptedEngine()
    app = make_app(engine, endpoints=(REAL,))
    async with app.run_test() as pilot:
        await until(pilot, lambda: app.engine)
        await pilot.press(*([] if missing == "user" else "ops"), "enter")
        assert app.focused is app.screen.query_one(f"#{missing}")
    assert not engine.calls_to("login")


async def test_credentials_given_at_the_start_log_in_once_without_a_key() -> None:
    engine = ScriptedEngine(auto_answer=False)
    app = make_app(engine, endpoints=(REAL,), start=LOGGED_IN)
    async with app.run_test() as pilot:
        await until(pilot, lambda: engine.calls_to("login"))
        engine.emit(events.LoginFailed(REFUSED, refused=True))
        await until(pilot, lambda: REFUSED in text(app, "#message"))
        await pilot.pause()
    assert engine.calls_to("login") == [("prod", "demo", "pitstop", "")]


async def test_the_password_is_not_kept_after_the_login() -> None:
    engine = ScriptedEngine(fleet_of(4))
    app = make_app(engine)
    async with app.run_test() as pilot:
        await until(pilot, lambda: app.engine)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ServersScreen))
        assert not any(isinstance(screen, LoginScreen) for screen in app.screen_stack)
        assert "pitstop" not in repr(app.store.__dict__)


def test_no_repr_contains_the_password() -> None:
    assert "hunter2" not in repr(StartOptions(user="ops", password="hunter2"))
    assert "hunter2" not in repr(LoginScreen.Submitted(REAL, "ops", "hunter2", ""))


async def test_a_relogin_asks_for_the_password_and_keeps_the_marks() -> None:
    engine = ScriptedEngine(fleet_of(8))
    app = make_app(engine, start=LOGGED_IN)
    async with app.run_test() as pilot:
        await until(pilot, lambda: isinstance(app.screen, ServersScreen) and app.screen.servers.line_count())
        screen = app.screen
        assert isinstance(screen, ServersScreen)
        await pilot.press("space")
        engine.auto_answer = False
        engine.emit(*[events.LoginNeeded("The password of demo was changed.")] * 2)
        await until(pilot, lambda: isinstance(app.screen, ReloginScreen))
        assert "was changed" in text(app, "#message")
        await pilot.press(*"newer", "enter", "enter")
        assert engine.calls_to("login")[1:] == [("sandbox", "demo", "newer", "ACME")]
        engine.emit(events.LoginFailed(REFUSED, refused=True))
        await until(pilot, lambda: REFUSED in text(app, "#message"))
        engine.auto_answer = True
        await pilot.press(*"newest", "enter")
        await until(pilot, lambda: app.screen is screen)
        assert screen.command_context.marked == 1


async def test_an_engine_that_cannot_start_shows_why_and_sends_no_login() -> None:
    engine = ScriptedEngine()
    app = make_app(engine)
    async with app.run_test() as pilot:
        await until(pilot, lambda: app.engine)
        engine.emit(events.EngineFailed("The journal was written by a newer pitstop; use that one."))
        await until(pilot, lambda: "newer pitstop" in text(app, "#message"))
        await pilot.press("enter")
        assert not engine.calls_to("login")
