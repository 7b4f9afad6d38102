"""The commands for whoever keeps the servers: the database's schema, its restoring, the bus. Part of ``__main__``."""

import typer

from services.cli import options
from services.cli.options import examples

app = typer.Typer()


@app.command(
    epilog=examples(
        "gristmill migrate --check",
        "gristmill migrate --data .demo/data",
        "gristmill migrate --url postgresql://admin:PASSWORD@db.example:5432/gristmill",
    )
)
def migrate(data: options.Data, url: options.AdminUrl = None, check: options.Check = False) -> None:
    """Bring the database to this version's schema, as `up` does when it starts.

    Uses the database at --url, as a role that may create schemas and roles, or that of --data while nothing runs there.
    """
    from services.cli.migrating import migrate as run

    raise typer.Exit(run(url, data, check=check))


@app.command(
    epilog=examples(
        "gristmill restore --data .demo/data",
        "gristmill restore --url postgresql://admin:PASSWORD@db.example:5432/gristmill",
    )
)
def restore(data: options.Data, url: options.AdminUrl = None) -> None:
    """Go on with a database that was restored to an older point, in a new era. Stop everything first.

    Uses the database at --url, as its administrator, or that of --data while nothing runs there.
    """
    from services.cli.restoring import restore as run

    run(url, data)


@app.command(
    epilog=examples(
        "gristmill bus",
        'BUS_URL="$(gristmill bus --data .demo/data)"',
    )
)
def bus(*, data: options.Data) -> None:
    """Print the address at which another system may say requests and read events; it holds a password."""
    from services.cli.bus import bus as run

    run(data)


@app.command(epilog=examples("gristmill replay", "gristmill replay --url http://127.0.0.1:8000"))
def replay(*, url: options.Url = None, data: options.Data) -> None:
    """Fold the log once more beside the live views, compare row by row, and swap where they differ."""
    from services.cli.replaying import replay as run

    raise typer.Exit(run(url, data))


@app.command(
    epilog=examples(
        "gristmill drain generate",
        "gristmill drain ledger --one",
    )
)
def drain(
    service: options.Service,
    one: options.One = False,
    url: options.Url = None,
    *,
    data: options.Data,
) -> None:
    """Have the processes of a service finish what they hold and end, to be started anew by what supervises them."""
    from services.cli.draining import drain as run

    run(service, url, data, one=one)


dead = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
app.add_typer(dead, name="dead", help="Messages that nobody could use: look, retry, drop.")


@dead.command("list", epilog=examples("gristmill dead list", "gristmill dead list --limit 5"))
def dead_list(
    *,
    limit: options.MostLetters = 20,
    json: options.AsJson = False,
    url: options.Url = None,
    data: options.Data,
) -> None:
    """List the newest dead letters, with the reason of each. They are kept 30 days."""
    from services.cli.dead import newest as run

    run(limit, url, data, as_json=json)


@dead.command("show", epilog=examples("gristmill dead show 1789000000123-17"))
def dead_show(*, letter: options.Letter, url: options.Url = None, data: options.Data) -> None:
    """Show a dead letter: where it came from, why it is there, what it says; secrets are masked."""
    from services.cli.dead import whole as run

    run(letter, url, data)


@dead.command("retry", epilog=examples("gristmill dead retry 1789000000123-17"))
def dead_retry(*, letters: options.Letters, url: options.Url = None, data: options.Data) -> None:
    """Say dead letters again where they had been said: requests under their old keys, commands as units issued anew."""
    from services.cli.dead import end as run

    run(letters, url, data, again=True)


@dead.command("drop", epilog=examples("gristmill dead drop 1789000000123-17"))
def dead_drop(*, letters: options.Letters, url: options.Url = None, data: options.Data) -> None:
    """Take dead letters away; the log keeps where each came from and why it was there."""
    from services.cli.dead import end as run

    run(letters, url, data, again=False)
