"""The files of an upload as requests to the ledger, which are one job. Stores nothing: the bytes are there already."""

import asyncio
from uuid import UUID

from contracts.blob import BlobRef
from contracts.document import DocumentSubmitted
from contracts.identity import job_id
from services.gateway.accepting import Begun, begin
from services.gateway.asking import SOURCE
from services.gateway.deps import Deps
from services.gateway.uploading import Upload

AT_ONCE = 16
"""Documents of one upload that are said to the ledger together."""


async def submit(deps: Deps, project: UUID, upload: Upload, id: str) -> Begun:
    """Say each file; the job is recorded when all of them are. Raise ``Refused`` or ``Unavailable``."""
    job = job_id(deps.tenant, SOURCE, id)
    some = asyncio.Semaphore(AT_ONCE)
    queued = False

    async def say(n: int, name: str, blob: BlobRef) -> None:
        nonlocal queued
        said = DocumentSubmitted(
            project_id=project,
            name=name,
            blob=blob,
            upload_id=str(job),
            upload_digest=upload.digest,
        )
        async with some:
            # Where one file was not recorded in time, no other is waited for: a thousand would take minutes.
            patience = 0.0 if queued else None
            begun = await begin(deps, said, f"{id}/{n}", patience=patience)
            queued = queued or begun.state == "queued"

    # gather, not a task group: a refusal must reach the caller as itself, not inside a group.
    await asyncio.gather(*(say(n, *file) for n, file in enumerate(upload.files)))
    return Begun(job, "queued" if queued else "recorded")
