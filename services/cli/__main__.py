"""``gristmill``: the commands and their options. Everything heavy is imported by the command that needs it."""

import sys
from pathlib import Path

import typer

from services.cli import options, upkeep
from services.cli.options import examples
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
    """Grind documents into fine-tuning datasets."""


@app.command(
    epilog=examples(
        "gristmill up",
        "gristmill up --data .demo/data --port 9000",
        "gristmill up --config gristmill.yaml",
        "gristmill up --data .s3 --s3",
        "GRISTMILL_API_KEYS=sha256:… gristmill up --host 0.0.0.0",
        "gristmill up --metrics 9100",
        "gristmill up --replicas generate=2,ledger=2",
    )
)
def up(
    host: options.Host = None,
    port: options.Port = None,
    data: options.OwnData = None,
    config: options.Config = None,
    s3: options.S3 = False,
    api_key: options.ApiKey = None,
    metrics: options.Metrics = None,
    replicas: options.Replicas = None,
) -> None:
    """Run everything on this machine until Ctrl-C: servers, services and the API."""
    from services.cli.up import up as run

    options.use_file(config)
    run(host, port, data, api_key, s3=s3, metrics=metrics, several=replicas)


@app.command(epilog=examples("gristmill key"))
def key() -> None:
    """Make an API key and show it once, with the hash by which a gateway knows it."""
    from shared.api_keys import MARK, fresh_key, hash_of

    made = fresh_key()
    typer.echo(f"key   {made}")
    typer.echo(f"hash  {MARK}{hash_of(made)}")
    typer.echo(
        "The gateway takes either in GRISTMILL_API_KEYS; clients send the key as X-API-Key,",
        err=True,
    )
    typer.echo(
        "and this terminal takes it from GRISTMILL_API_KEY. It is shown only once.", err=True
    )


@app.command(
    epilog=examples(
        "gristmill config",
        "gristmill config --config gristmill.yaml --port 9000",
        "gristmill config --json",
    )
)
def config(
    host: options.Host = None,
    port: options.Port = None,
    data: options.OwnData = None,
    config: options.Config = None,
    json: options.AsJson = False,
) -> None:
    """Print the settings as they hold and where each came from: default, file, environment or flag."""
    from services.cli.config import config as run

    options.use_file(config)
    run(as_json=json, host=host, port=port, data=data)


@app.command(
    epilog=examples(
        "gristmill doctor",
        "gristmill doctor --data .demo/data",
    )
)
def doctor(
    data: options.OwnData = None, config: options.Config = None, json: options.AsJson = False
) -> None:
    """Look at everything that Gristmill needs, and say how to mend what is missing. Starts and changes nothing."""
    from services.cli.doctor import doctor as run

    options.use_file(config)
    raise typer.Exit(run(data, as_json=json))


@app.command(
    epilog=examples(
        "gristmill generate report.pdf notes.md",
        "gristmill generate https://example.org/article --entries 20",
        "gristmill generate book.docx --model openai/gpt-4o-mini --entries 500",
        'gristmill generate *.md --mode "instruction following" --format alpaca --out data/',
        "gristmill generate faq.html --context distractors --url http://127.0.0.1:8000",
        'gristmill generate log.txt --chunking "token size=256 overlap=32"',
        "gristmill generate report.pdf --model openai/gpt-4o-mini --preview 3",
        "gristmill generate report.pdf --model openai/gpt-4o-mini --project reports --reuse",
    )
)
def generate(
    *,
    files: options.Files,
    mode: options.ModeOption = "question and answer",
    model: options.Model = None,
    entries: options.Count = None,
    context: options.ContextOption = "none",
    prompt: options.Prompt = None,
    concurrency: options.Concurrency = None,
    format: options.Format = "jsonl",
    out: options.Out = None,
    url: options.Url = None,
    data: options.Data,
    project: options.Project = None,
    per_chunk: options.PerChunk = None,
    temperature: options.Temperature = None,
    max_tokens: options.MaxTokens = None,
    seed: options.Seed = None,
    chunking: options.ChunkingOption = None,
    preview: options.Preview = None,
    reuse: options.Reuse = False,
) -> None:
    """Make a dataset from files and web pages: parse, cut, generate, curate, export.

    Uses the gateway at --url, or the one that runs on --data, or runs everything itself until the dataset is there.
    Without --model the built-in model takes entries from the text by rules: no key, no network.
    """
    from services.cli.chunking import chunking_of
    from services.cli.generate import generate as run
    from services.cli.grinding import Asked, prompt_of
    from services.cli.sources import source_of

    asked = Asked(
        mode=mode,
        model=model,
        entries=entries,
        context=context,
        prompt=prompt_of(prompt) if prompt else None,
        concurrency=concurrency,
        per_chunk=per_chunk,
        temperature=temperature,
        max_tokens=max_tokens,
        seed=seed,
        format=format,
        chunking=chunking_of(chunking) if chunking is not None else None,
        reuse=reuse,
    )
    sources = [source_of(word) for word in files]
    if preview is not None:
        from services.cli.preview import preview as look

        raise typer.Exit(look(sources, asked, preview, project=project, url=url, data=data))
    raise typer.Exit(run(sources, asked, project=project, out=out, url=url, data=data))


@app.command(
    epilog=examples(
        "gristmill demo",
        "gristmill demo paper.pdf notes.md",
    )
)
def demo(files: options.OwnFiles = None, folder: options.Folder = Path(".demo")) -> None:
    """Run the whole mill once, on the documents of this checkout or on files of your own.

    The built-in model makes question-answer entries; they are curated, exported as JSONL and Parquet, and summed up.
    """
    from services.cli.demo import demo as run

    raise typer.Exit(run(files or (), folder))


@app.command(
    epilog=examples(
        "gristmill status",
        "gristmill status 7b3c1f60-58a1-5b0e-9c39-0d7c2f1f6a11 --url http://127.0.0.1:8000",
    )
)
def status(*, job: options.OptionalJob = None, url: options.Url = None, data: options.Data) -> None:
    """Say how far a job is, or list the newest jobs."""
    from services.cli.jobs import status as run

    run(job, url, data)


@app.command(
    epilog=examples(
        "gristmill watch 7b3c1f60-58a1-5b0e-9c39-0d7c2f1f6a11",
    )
)
def watch(*, job: options.JobArgument, url: options.Url = None, data: options.Data) -> None:
    """Show a job live until it ends; Ctrl-C ends the watching, not the job."""
    from services.cli.jobs import watch as run

    raise typer.Exit(run(job, url, data))


@app.command(
    epilog=examples(
        "gristmill cancel 7b3c1f60-58a1-5b0e-9c39-0d7c2f1f6a11",
    )
)
def cancel(*, job: options.JobArgument, url: options.Url = None, data: options.Data) -> None:
    """Start nothing more for a job; what is in flight finishes, and all that was made is kept."""
    from services.cli.jobs import cancel as run

    run(job, url, data)


@app.command(epilog=examples("gristmill pause 7b3c1f60-58a1-5b0e-9c39-0d7c2f1f6a11"))
def pause(*, job: options.JobArgument, url: options.Url = None, data: options.Data) -> None:
    """Start nothing more for a job until it is resumed; what is in flight finishes and is kept."""
    from services.cli.jobs import pause as run

    run(job, url, data)


@app.command(epilog=examples("gristmill resume 7b3c1f60-58a1-5b0e-9c39-0d7c2f1f6a11"))
def resume(*, job: options.JobArgument, url: options.Url = None, data: options.Data) -> None:
    """Let a paused job go on from where it is."""
    from services.cli.jobs import resume as run

    run(job, url, data)


@app.command(
    epilog=examples(
        "gristmill fork 7b3c1f60-58a1-5b0e-9c39-0d7c2f1f6a11",
        "gristmill fork 7b3c1f60-58a1-5b0e-9c39-0d7c2f1f6a11 --at 1.4711 --name another",
    )
)
def fork(
    *,
    job: options.JobArgument,
    at: options.At = None,
    name: options.ForkName = None,
    url: options.Url = None,
    data: options.Data,
) -> None:
    """Begin a new job with what a job has now, or had at a position; nothing is asked or paid again."""
    from services.cli.jobs import fork as run

    run(job, at, name, url, data)


@app.command(
    epilog=examples(
        "gristmill show 0b6f4c0e-3a63-5f3f-8a44-5d1c7ce0a2d9",
    )
)
def show(
    *,
    entry: options.EntryArgument,
    full: options.Full = False,
    url: options.Url = None,
    data: options.Data,
) -> None:
    """Show how an entry came to be: file, passage, evidence, prompt, model, raw response, verdict."""
    from services.cli.entries import show as run

    run(entry, full=full, url=url, data=data)


@app.command(
    epilog=examples(
        "gristmill entries 4f9d1c3a-7c0a-5d5e-8d0b-6f1f0f1e2a33",
        "gristmill entries 4f9d1c3a-7c0a-5d5e-8d0b-6f1f0f1e2a33 --rejected --reason duplicate",
        "gristmill entries 4f9d1c3a-7c0a-5d5e-8d0b-6f1f0f1e2a33 --limit 1000 --json > entries.jsonl",
    )
)
def entries(
    *,
    dataset: options.DatasetArgument,
    rejected: options.Rejected = False,
    reason: options.ReasonOption = None,
    surplus: options.Surplus = False,
    limit: options.Limit = 20,
    json: options.AsJson = False,
    url: options.Url = None,
    data: options.Data,
) -> None:
    """Show the entries of a dataset: accepted ones, or those that were dropped, with the reason."""
    from services.cli.entries import entries as run

    if surplus and (rejected or reason):
        raise typer.BadParameter("--surplus entries were not rejected; leave out the other option.")
    status = "surplus" if surplus else "rejected" if rejected or reason else "accepted"
    run(dataset, status=status, reason=reason, limit=limit, as_json=json, url=url, data=data)


app.registered_commands += upkeep.app.registered_commands
app.registered_groups += upkeep.app.registered_groups


def main() -> None:
    """Run the command line; an expected failure is one line and exit code 1."""
    try:
        app()
    except GristmillError as error:
        typer.echo(f"gristmill: {error.message} [{error.code}]", err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        # Before a command hears the signals itself, while its modules are still being loaded.
        sys.exit(130)


if __name__ == "__main__":
    main()
