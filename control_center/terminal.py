"""What the commands write for people: progress and errors to standard error, results to standard output."""

from __future__ import annotations

from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from control_center.supervision.first_account import PASSWORD_VARIABLE, FirstSignIn

output = Console(highlight=False, soft_wrap=True)
progress = Console(stderr=True, highlight=False, soft_wrap=True)


def say(text: str) -> None:
    """One line of progress."""
    progress.print(Text(text))


def say_error(text: str) -> None:
    """What went wrong, where, and how to mend it; may be several lines."""
    for line in text.splitlines():
        progress.print(Text.assemble(("error: ", "bold red"), line))


def show_address(url: str, sign_in: FirstSignIn | None) -> None:
    """The address, and the first sign-in, which is never shown again."""
    lines = [f"open      {url}"]
    if sign_in is not None:
        lines.append(f"name      {sign_in.name}")
        lines.append(f"password  {sign_in.password or f'as set in {PASSWORD_VARIABLE}'}")
    note = "shown only now, write it down" if sign_in is not None and sign_in.password else None
    output.print(Panel("\n".join(lines), title="Haechi", subtitle=note, expand=False))
    output.file.flush()
