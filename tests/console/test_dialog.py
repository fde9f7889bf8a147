"""A dialog gives one answer, and is freed when it closes."""

from textual.app import App

from tests.console.textual_screen import caches_of_styles
from tui.console.dialog import Dialog
from tui.console.terminal.display import DisplayApp


class Question(Dialog[str]):
    BINDINGS = [("y", "answer('yes')"), ("n", "answer('no')")]

    def action_answer(self, answer: str) -> None:
        self.dismiss(answer)


async def test_a_second_answer_before_the_dialog_is_closed_does_nothing() -> None:
    app = App[None]()
    answers: list[str | None] = []
    async with app.run_test() as pilot:
        question = Question()
        app.push_screen(question, answers.append)
        await pilot.pause()
        question.action_answer("yes")  # both are handled before the screen is removed
        question.action_answer("no")
        await pilot.pause()
        assert answers == ["yes"]
        assert len(app.screen_stack) == 1
        assert app.is_running


async def test_a_closed_dialog_leaves_no_cache_behind() -> None:
    app = DisplayApp()
    counts = []
    async with app.run_test() as pilot:
        for _ in range(3):
            app.push_screen(Question())
            await pilot.pause()
            await pilot.press("y")
            await pilot.pause()
            counts.append(caches_of_styles())
    assert counts[0] == counts[-1]
