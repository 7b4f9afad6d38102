"""The options of the commands: one type for each, with its name, its limits and its words."""

import os
from pathlib import Path
from typing import Annotated

import typer

from contracts.entries import Reason
from contracts.generation import MOST_PREVIEWED, Context, Mode


def usual_data() -> Path:
    """The data folder that the settings name."""
    from shared.settings import load_settings

    return load_settings().data


def use_file(config: Path | None) -> None:
    """Name the file of settings for everything that this process reads and starts."""
    if config is not None:
        from shared.settings_file import VARIABLE

        os.environ[VARIABLE] = str(config.absolute())


Config = Annotated[
    Path | None,
    typer.Option(
        help="YAML file of settings; none: GRISTMILL_CONFIG, else gristmill.yaml here if there is one.",
    ),
]
Url = Annotated[
    str | None, typer.Option(help="Of a running gateway, such as http://127.0.0.1:8000.")
]
Letter = Annotated[str, typer.Argument(help="Of a dead letter, as `gristmill dead list` shows it.")]
Letters = Annotated[
    list[str], typer.Argument(help="Of dead letters, as `gristmill dead list` shows them.")
]
MostLetters = Annotated[int, typer.Option(min=1, max=1000, help="Most dead letters shown.")]
Data = Annotated[
    Path,
    typer.Option(
        default_factory=usual_data,
        show_default="the setting `data`, .gristmill",
        help="Folder of everything that is kept; finds the gateway that runs on it.",
    ),
]
OwnData = Annotated[
    Path | None, typer.Option(help="Folder of everything that is kept [default: .gristmill].")
]
Host = Annotated[
    str | None,
    typer.Option(
        help="Where the API listens; others than loopback need an API key [default: 127.0.0.1]."
    ),
]
ApiKey = Annotated[
    str | None,
    typer.Option(
        help="Ask clients for this key. Others on this machine can read it; the environment is safer."
    ),
]
Port = Annotated[
    int | None, typer.Option(min=0, max=65535, help="Of the API; 0: a free one [default: 8000].")
]
Metrics = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=65535,
        help="First of seven ports of loopback for health and metrics, one a service; none: no ports.",
    ),
]
Replicas = Annotated[
    str | None,
    typer.Option(help="Services of which several processes run, such as generate=2,ledger=2."),
]
Files = Annotated[
    list[str],
    typer.Argument(
        metavar="FILE|URL...",
        help=".pdf .docx .pptx .xlsx .html .csv .md .txt .epub .eml .json .xml .png … or https://…",
    ),
]
OwnFiles = Annotated[
    list[Path] | None,
    typer.Argument(metavar="[FILE]...", help="Your own files; none: those of the checkout."),
]
ModeOption = Annotated[Mode, typer.Option("--mode", help="What an entry is.")]
Model = Annotated[
    str | None,
    typer.Option(help="provider/model, such as openai/gpt-4o-mini; none: the gateway's default."),
]
Count = Annotated[
    int | None,
    typer.Option("--entries", min=1, help="Accepted entries wanted; none: what the chunks yield."),
]
ContextOption = Annotated[
    Context,
    typer.Option(
        "--context",
        help="What an entry is read with: nothing, its passage, or its passage among wrong ones.",
    ),
]
Prompt = Annotated[
    Path | None,
    typer.Option("--prompt", help="A file with a prompt of your own ({chunk} is the passage)."),
]
Concurrency = Annotated[
    int | None,
    typer.Option(min=1, max=1024, help="Model calls in flight; none: chosen for the model."),
]
ChunkingOption = Annotated[
    str | None,
    typer.Option(
        "--chunking",
        metavar="'STRATEGY [NAME=VALUE]...'",
        help="How documents are cut: character, sentence, token, contextual, markdown, delimiter, semantic or schema,"
        " with size=, overlap=, delimiters=, similarity_drop=, tokenizer=, context_words=, rules=@FILE; none: by"
        " sections.",
    ),
]
Preview = Annotated[
    int | None,
    typer.Option(
        "--preview",
        min=1,
        max=MOST_PREVIEWED,
        help="Make so many chunks only, and show prompt, raw answer and verdict of each.",
    ),
]
Reuse = Annotated[
    bool,
    typer.Option(
        "--reuse", help="Take recorded answers to the very same calls of earlier jobs, unpaid."
    ),
]
Format = Annotated[str, typer.Option(help="jsonl, json, parquet, alpaca, chatml or openai.")]
Out = Annotated[
    Path | None, typer.Option(help="Folder for the files; none: gristmill-out/<dataset>.")
]
Project = Annotated[
    str | None, typer.Option(help="Takes the documents, made where missing; none: a new one.")
]
PerChunk = Annotated[
    int | None, typer.Option(min=1, max=50, help="Most entries asked of one chunk at a time.")
]
Temperature = Annotated[float | None, typer.Option(min=0, max=2, help="Of the model.")]
MaxTokens = Annotated[int | None, typer.Option(min=1, max=100_000, help="Of one answer.")]
Seed = Annotated[
    int | None, typer.Option(min=0, max=2**31 - 1, help="Of the plan's choices, and of the model.")
]
JobArgument = Annotated[str, typer.Argument(metavar="JOB", help="Its id.")]
At = Annotated[
    str | None,
    typer.Option("--at", metavar="POSITION", help="Of the log, as the API says it; none: now."),
]
ForkName = Annotated[str | None, typer.Option("--name", help="Of the new dataset.")]
OptionalJob = Annotated[
    str | None, typer.Argument(metavar="[JOB]", help="Its id; none: the newest jobs.")
]
EntryArgument = Annotated[str, typer.Argument(metavar="ENTRY", help="Its id.")]
DatasetArgument = Annotated[str, typer.Argument(metavar="DATASET", help="Its id.")]
Rejected = Annotated[bool, typer.Option("--rejected", help="Those that were dropped, with why.")]
Surplus = Annotated[bool, typer.Option("--surplus", help="Good ones beyond the number wanted.")]
ReasonOption = Annotated[Reason | None, typer.Option("--reason", help="Dropped for this reason.")]
Limit = Annotated[int, typer.Option(min=1, help="Most entries shown.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]
Full = Annotated[bool, typer.Option("--full", help="With the words of the prompt.")]
Folder = Annotated[Path, typer.Option(help="Holds the demo's data and its files.")]
AdminUrl = Annotated[
    str | None,
    typer.Option(
        "--url",
        envvar="ADMIN_DATABASE_URL",
        show_envvar=True,
        help="Of the database, as its administrator; the variable keeps its password out of the list of processes.",
    ),
]
Check = Annotated[
    bool, typer.Option("--check", help="Only say what would be done; exit code 1 when behind.")
]
S3 = Annotated[
    bool, typer.Option("--s3", help="Keep the blobs in an S3 server (SeaweedFS) started beside.")
]


Service = Annotated[str, typer.Argument(help="gateway, ledger, ingest, chunk, generate, …")]
One = Annotated[
    bool, typer.Option("--one", help="Only one of its processes, to go on with the next.")
]


def examples(*lines: str) -> str:
    """What stands below a command's options; the first character keeps click from joining the lines."""
    return "\n".join(("\b", "Examples:", *(f"  {line}" for line in lines)))
