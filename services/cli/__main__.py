"""``gristmill``: the commands and their options. Everything heavy is imported by the command that needs it."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from shared.errors import GristmillError

app = typer.Typer(
    name="gristmill",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback()
def gristmill() -> None:
    """Grind documents and topics into fine-tuning datasets."""


@app.command()
def up(
    host: Annotated[str, typer.Option(help="A loopback address for the API.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Of the API; 0: a free one.")] = 8000,
    data: Annotated[Path, typer.Option(help="Folder of everything that is kept.")] = Path(
        ".gristmill"
    ),
) -> None:
    """Run everything on this machine until Ctrl-C: servers, services and the API."""
    from services.cli.up import up as run

    run(host, port, data)


def main() -> None:
    """Run the command line; an expected failure is one line and exit code 1."""
    try:
        app()
    except GristmillError as error:
        typer.echo(f"gristmill: {error.message} [{error.code}]", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
