"""The edge of ingest: fetch the bytes, have them parsed, keep text and structure, say what was found."""

from contracts.document import DocumentParsed, DocumentRejected, ParseDocument
from services.ingest.parsers.outcome import Parsed, Unreadable
from services.ingest.pool import ParserPool
from shared.blobs import Blobs
from shared.worker import Done, Task, Work


def work(blobs: Blobs, parsers: ParserPool) -> list[Work]:
    async def parse(task: Task[ParseDocument]) -> Done:
        command = task.command
        data = await blobs.get(task.tenant, command.blob)
        try:
            parsed = await parsers.parse(data, command.name)
        except Unreadable as reason:
            return Done((_rejected(command, reason),))
        return Done((await _kept(blobs, task.tenant, command, parsed),))

    return [Work(ParseDocument, parse)]


async def _kept(
    blobs: Blobs, tenant: str, command: ParseDocument, parsed: Parsed
) -> DocumentParsed:
    structure = parsed.structure
    text_ref = await blobs.put(tenant, "text", parsed.text.encode(), "text/markdown")
    structure_ref = await blobs.put(
        tenant, "structure", structure.model_dump_json().encode(), "application/json"
    )
    return DocumentParsed(
        document_id=command.document_id,
        project_id=command.project_id,
        text=text_ref,
        structure=structure_ref,
        title=structure.title,
        language=structure.language,
        pages=len(structure.pages) or None,
        characters=len(parsed.text),
        words=len(parsed.text.split()),
        parser=parsed.parser,
    )


def _rejected(command: ParseDocument, reason: Unreadable) -> DocumentRejected:
    return DocumentRejected(
        document_id=command.document_id,
        project_id=command.project_id,
        stage="parse",
        code=reason.code,
        message=reason.message,
    )
