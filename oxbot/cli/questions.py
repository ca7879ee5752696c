"""Questions on a terminal, asked again until the answer can be used."""

from collections.abc import Callable

from rich.prompt import InvalidResponse, PromptBase

from oxbot.domain.errors import InputError


def ask_for(question: str, default: str, check: Callable[[str], object]) -> str:
    """Ask for one thing; Enter takes the default.

    Args:
        question: Without a question mark.
        default: Shown in brackets.
        check: Raises InputError for an answer that cannot be.
    """

    class Checked(PromptBase[str]):
        def process_response(self, value: str) -> str:
            answer = super().process_response(value)
            try:
                check(answer)
            except InputError as error:
                raise InvalidResponse(str(error)) from error
            return answer

    return Checked.ask(question, default=default)
