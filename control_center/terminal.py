"""What the commands write for people: progress and errors to standard error, results to standard output."""

from __future__ import annotations

from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from control_center.rights import HOME
from control_center.supervision.first_account import ShownAccount

output = Console(highlight=False, soft_wrap=True)
progress = Console(stderr=True, highlight=False, soft_wrap=True)


def say(text: str) -> None:
    """One line of progress."""
    progress.print(Text(text))


def say_error(text: str) -> None:
    """What went wrong, where, and how to mend it; may be several lines."""
    for line in text.splitlines():
        progress.print(Text.assemble(("error: ", "bold red"), line))


def show_address(url: str, made: ShownAccount | None) -> None:
    """The address, and the account that was made at this start, which is never shown again."""
    lines = [f"open      {url}"]
    if made is not None:
        lines += [f"name      {made.name}", f"password  {made.shown_password}"]
    note = "shown only now, write it down" if made is not None and made.variable is None else None
    output.print(Panel("\n".join(lines), title="Haechi", subtitle=note, expand=False))
    if made is not None:
        output.print(
            f"{made.name} manages accounts and cameras and sees no video: make an account for each person, "
            "on the page Administration or with: haechi account add NAME --role ROLE"
        )
    output.file.flush()


def show_accounts(url: str, accounts: tuple[ShownAccount, ...]) -> None:
    """The address, and one account a role. Each opens its own page by itself."""
    output.print(Panel(f"open      {url}", title="Haechi", expand=False))
    table = Table("name", "role", "password", "opens", title="Accounts, new passwords at each start")
    for account in accounts:
        table.add_row(account.name, account.role.value, account.shown_password, HOME[account.role])
    output.print(table)
    output.file.flush()
