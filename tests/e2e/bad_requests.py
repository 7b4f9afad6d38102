"""What nobody should ask for, and how each must be answered: tables of data, read by test_bad_input.

``PROJECT`` stands for the id of a project without documents, ``THEIRS`` for one of another tenant. A row
ends with its HTTP status, its code, and words that its text must hold.
"""

from typing import Any

from services.gateway.file_names import MEDIA

Answered = tuple[int, str, str]
JSON = "application/json"

PROJECT = "PROJECT"
THEIRS = "THEIRS"
NOBODY = "00000000-0000-4000-8000-000000000000"
ALLOWED = f"Allowed: {' '.join(MEDIA)}"

GENERATE: tuple[tuple[dict[str, Any], Answered], ...] = (
    ({}, (400, "no_chunks", "No chunks found for project PROJECT")),
    ({"project_id": NOBODY}, (404, "project_not_found", f"Project with ID {NOBODY} not found")),
    ({"project_id": 77}, (404, "project_not_found", "Project with ID 77 not found")),
    ({"project_id": 10**400}, (404, "project_not_found", "not found")),
    ({"project_id": "../../etc/passwd"}, (404, "project_not_found", "not found")),
    ({"project_id": "a\x00b"}, (404, "project_not_found", "not found")),
    ({"project_id": True}, (400, "invalid_parameter", "project_id: must be a project's id")),
    ({"project_id": 1.5}, (400, "invalid_parameter", "project_id: must be a project's id")),
    ({"project_id": ["x"]}, (400, "invalid_parameter", "project_id: must be a project's id")),
    ({"project_id": None}, (400, "invalid_parameter", "project_id: must be a project's id")),
    ({"model": "builtin/huge"}, (400, "unknown_model", "there is: builtin/extractive")),
    ({"model": "acme/large"}, (400, "unknown_provider", "known: builtin, openai")),
    ({"model": "large"}, (400, "unknown_provider", "provider/model, for example builtin/")),
    ({"model": "openai/a b"}, (400, "unknown_provider", "provider/model, for example builtin/")),
    ({"model": "openai/a\x00"}, (400, "unknown_provider", "provider/model, for example")),
    ({"model": "openai/" + "x" * 5000}, (400, "invalid_parameter", "model: ")),
    ({"model": 5}, (400, "invalid_parameter", "model: ")),
    ({"concurrency": 0}, (400, "invalid_parameter", "concurrency: ")),
    ({"concurrency": 1025}, (400, "invalid_parameter", "less than or equal to 1024")),
    ({"concurrency": 1.5}, (400, "invalid_parameter", "concurrency: ")),
    ({"concurrency": True}, (400, "invalid_parameter", "must be a whole number")),
    ({"entries": 0}, (400, "invalid_parameter", "entries: ")),
    ({"entries": -1}, (400, "invalid_parameter", "greater than or equal to 1")),
    ({"entries": 10**30}, (400, "invalid_parameter", "less than or equal to 10000000")),
    ({"entries": "many"}, (400, "invalid_parameter", "entries: ")),
    ({"entries": [1]}, (400, "invalid_parameter", "entries: ")),
    ({"entries": True}, (400, "invalid_parameter", "must be a whole number")),
    ({"batch_size": -1}, (400, "invalid_parameter", "batch_size: ")),
    ({"temperature": 9}, (400, "invalid_parameter", "temperature: ")),
    ({"temperature": float("nan")}, (400, "invalid_parameter", "temperature: ")),
    ({"seed": -1}, (400, "invalid_parameter", "seed: ")),
    ({"custom_prompt": "Ask."}, (400, "not_available", "openai/<name>")),
    ({"custom_prompt": "x" * 200_000}, (400, "invalid_parameter", "custom_prompt: ")),
    ({"language": "de"}, (400, "not_available", "openai/<name>")),
    ({"language": "german"}, (400, "invalid_parameter", "language: ")),
    ({"generation_mode": "poems"}, (400, "invalid_parameter", "'summarization'")),
    ({"format_type": "xml"}, (400, "invalid_parameter", "must be one of: jsonl, json")),
    ({"format_type": "anki"}, (400, "not_available", "the format anki")),
    (
        {"format_type": "chatml", "generation_mode": "question"},
        (400, "format_cannot_hold", "take jsonl, json or parquet"),
    ),
    ({"run_benchmarks": True}, (400, "not_available", "run_benchmarks")),
    ({"flavour": 1}, (400, "unknown_parameter", "flavour is not a parameter")),
    ({"entires": 5}, (400, "unknown_parameter", "Did you mean entries?")),
    ({"output_dir": "../../etc"}, (400, "invalid_parameter", "a name under the data folder")),
    ({"output_dir": "/etc"}, (400, "invalid_parameter", "a name under the data folder")),
    ({"output_dir": "results"}, (400, "no_chunks", "No chunks found")),
    ({"quality_threshold": 0.9}, (400, "not_available", "quality_threshold")),
    ({"parsing_model": 5}, (400, "invalid_parameter", "parsing_model: ")),
    ({"x" * 9000: 1}, (400, "unknown_parameter", "xxx is not a parameter")),
    ({"document_ids": "x"}, (400, "invalid_parameter", "document_ids: ")),
    ({"document_ids": ["x"]}, (404, "document_not_found", "doesn't belong to project PROJECT")),
    ({"document_ids": [NOBODY]}, (404, "document_not_found", f"Document {NOBODY} not found")),
    ({"document_ids": [NOBODY] * 1001}, (400, "invalid_parameter", "at most 1000")),
    ({"thresholds": {"quality": 5}}, (400, "invalid_parameter", "thresholds.quality: ")),
    ({"chunking": {"size": -5}}, (400, "invalid_parameter", "chunking.size: ")),
    ({"dataset_name": "\ud800"}, (400, "invalid_parameter", "dataset_name: ")),
    ({"dataset_name": "a\x00"}, (400, "no_chunks", "No chunks found")),
)
"""Fields of ``POST /datasets/generate``; the project is PROJECT where the row names none."""

BODIES: tuple[tuple[bytes, str, Answered], ...] = (
    (b"", JSON, (400, "missing_parameter", "A JSON body is required")),
    (b'{"project_id": ', JSON, (400, "malformed_json", "not valid JSON")),
    (b"project_id=1", "application/x-www-form-urlencoded", (400, "invalid_parameter", JSON)),
    (b'{"project_id": 1}', "text/plain", (400, "invalid_parameter", "must be a JSON object")),
    (b"[]", JSON, (400, "invalid_parameter", "must be a JSON object")),
    (b"null", JSON, (400, "invalid_parameter", "must be a JSON object")),
    (b'"\\ud800"', JSON, (400, "invalid_parameter", "must be a JSON object")),
    (b'{"project_id": "\xff\xfe"}', JSON, (400, "malformed_json", "UTF-8")),
    (b"[" * 100_000, JSON, (400, "malformed_json", "nested too deeply")),
    (b"[" * 100_000 + b"]" * 100_000, JSON, (400, "malformed_json", "nested too deeply")),
    (b'{"entries": ' + b"9" * 5000 + b"}", JSON, (400, "malformed_json", "number")),
    (b'{"a": "' + b"x" * 2**21 + b'"}', JSON, (413, "body_too_large", "2097152 bytes")),
    (b"x" * 2**22, "multipart/form-data; boundary=x", (413, "body_too_large", "2097152 bytes")),
)
"""Bodies of the same request as they are sent, with their content type."""

ELSEWHERE: tuple[tuple[str, str, dict[str, Any] | None, Answered], ...] = (
    ("POST", "/projects", {}, (400, "missing_parameter", "name is required")),
    ("POST", "/projects", {"name": " \u200b\x00"}, (400, "invalid_parameter", "can be seen")),
    ("POST", "/projects", {"name": "x" * 201}, (400, "invalid_parameter", "name: ")),
    ("POST", "/projects", {"name": {"a": 1}}, (400, "invalid_parameter", "name: ")),
    ("GET", "/projects/%00", None, (404, "project_not_found", "not found")),
    ("GET", "/projects/%ff", None, (404, "project_not_found", "not found")),
    ("GET", "/projects/..%2f..%2fetc%2fpasswd", None, (404, "not_found", "Not Found")),
    ("GET", "/projects?page=0", None, (400, "invalid_parameter", "page: ")),
    ("GET", "/projects?page=x", None, (400, "invalid_parameter", "page: ")),
    ("GET", "/projects?page=99999999999999999999", None, (400, "invalid_parameter", "page: ")),
    ("GET", f"/projects?page={'9' * 5000}", None, (400, "invalid_parameter", "page: ")),
    ("GET", "/projects?per_page=1001", None, (400, "invalid_parameter", "per_page: ")),
    ("GET", "/projects?per_page=-5", None, (400, "invalid_parameter", "per_page: ")),
    ("GET", "/projects?per_pag=5", None, (400, "unknown_parameter", "Did you mean per_page?")),
    ("GET", "/projects?" + "x" * 9000 + "=1", None, (400, "unknown_parameter", "xxx is not")),
    ("GET", "/projects?page=1&page=2", None, (400, "invalid_parameter", "more than once")),
    ("GET", "/projects?min_position=1", None, (400, "invalid_position", "min_position: ")),
    ("GET", "/events?limit=-1", None, (400, "invalid_parameter", "limit: ")),
    ("GET", f"/events?limit={10**30}", None, (400, "invalid_parameter", "limit: ")),
    ("GET", "/events?after=9.1", None, (400, "invalid_position", "has not come to 9.1")),
    ("GET", "/events?after=0.1", None, (409, "position_outdated", "restored")),
    ("GET", "/events?type=%00", None, (400, "unknown_event_type", "type: ")),
    ("GET", "/chunks/project/PROJECT?limit=-1", None, (400, "invalid_parameter", "limit: ")),
    ("GET", f"/jobs/{NOBODY}/poll?timeout=0", None, (400, "invalid_parameter", "timeout: ")),
    ("GET", "/datasets/list/77", None, (404, "project_not_found", "Project with ID 77")),
    ("GET", "/datasets/list/PROJECT?page_size=-1", None, (400, "invalid_parameter", "page_size: ")),
    ("GET", "/datasets/list/PROJECT?search=%00", None, (400, "invalid_parameter", "NUL")),
    ("DELETE", f"/datasets/{NOBODY}", None, (404, "dataset_not_found", NOBODY)),
    ("POST", "/datasets/bulk-delete", {"dataset_ids": []}, (400, "missing_parameter", "dataset")),
    ("POST", "/datasets/bulk-delete", {"ids": []}, (400, "missing_parameter", "dataset_ids")),
    ("PUT", "/datasets/x/entries/y", {"a": 1}, (400, "not_available", "changing an entry")),
    ("POST", "/taxonomy/generate", {"a": 1}, (400, "not_available", "taxonomies")),
    ("GET", "/jobs?status=tired", None, (400, "invalid_parameter", "'cancelled'")),
    ("GET", "/jobs/status/nonsense", None, (404, "job_not_found", "nonsense")),
    ("POST", f"/jobs/cancel/{NOBODY}", {}, (404, "job_not_found", "cannot be cancelled")),
    ("GET", f"/documents/{NOBODY}", None, (404, "document_not_found", NOBODY)),
    ("GET", f"/datasets/{NOBODY}/entries", None, (404, "dataset_not_found", NOBODY)),
    ("GET", f"/datasets/{NOBODY}/download?format=../x", None, (404, "dataset_not_found", NOBODY)),
    ("GET", "/entries/nonsense", None, (404, "entry_not_found", "nonsense")),
    ("GET", "/nowhere", None, (404, "not_found", "Not Found")),
    ("DELETE", "/projects", None, (400, "missing_parameter", "A JSON body is required")),
    (
        "POST",
        "/documents/process",
        {"project_id": PROJECT, "document_ids": [NOBODY]},
        (404, "document_not_found", "doesn't belong to project PROJECT"),
    ),
    (
        "POST",
        "/documents/process",
        {"project_id": PROJECT, "document_ids": [NOBODY], "chunk_strategy": "vibes"},
        (400, "invalid_parameter", "Must be one of: token, character, semantic"),
    ),
    (
        "POST",
        "/documents/process",
        {
            "project_id": PROJECT,
            "document_ids": [NOBODY],
            "chunk_strategy": "character",
            "chunk_size": 10,
            "overlap": 10,
        },
        (400, "invalid_parameter", "overlap must be less than chunk_size"),
    ),
)

ANOTHERS: tuple[tuple[str, str, dict[str, Any] | None], ...] = (
    ("GET", "/projects/THEIRS", None),
    ("PUT", "/projects/THEIRS", {"name": "mine"}),
    ("DELETE", "/projects/THEIRS", None),
    ("GET", "/documents?project_id=THEIRS", None),
    ("GET", "/chunks/project/THEIRS", None),
    ("GET", "/datasets/list/THEIRS", None),
    ("POST", "/documents/process", {"project_id": THEIRS, "document_ids": [NOBODY]}),
    ("POST", "/documents/split-pdf", {"project_id": THEIRS, "pdf_path": "a.pdf"}),
    ("POST", "/datasets/generate", {"project_id": THEIRS}),
)
"""What is asked of a project of another tenant: 404, as of one that is nowhere."""

PROCESS: tuple[tuple[dict[str, Any], Answered], ...] = (
    (
        {"chunk_strategy": "delimiter", "delimiters": ["\x00"]},
        (400, "invalid_parameter", "delimiters.0: "),
    ),
    ({"chunk_strategy": "delimiter", "delimiters": [""]}, (400, "invalid_parameter", "delimiters")),
    (
        {"chunk_strategy": "schema", "schema_definition": "(a+)+$"},
        (400, "invalid_parameter", "Invalid JSON schema"),
    ),
    (
        {"chunk_strategy": "token", "tokenizer": "../../etc/passwd"},
        (400, "tokenizer_not_found", "there is no tokenizer"),
    ),
)
"""Further fields of ``POST /documents/process`` for a document of ours."""

FAR_PAGES = ("/projects", "/jobs", "/documents")
"""Lists whose last allowed page is empty, not an error."""

UPLOADS: tuple[tuple[bytes, bytes, Answered], ...] = (
    (b"empty.txt", b"", (400, "empty_file", "empty.txt is empty")),
    (b"empty.pdf", b"", (400, "empty_file", "empty.pdf is empty")),
    (
        b"photo.heic",
        b"x",
        (400, "unsupported_file_type", f"file type: .heic. {ALLOWED} (photo.heic)"),
    ),
    (b"README", b"x", (400, "unsupported_file_type", f"(none). {ALLOWED} (README)")),
    (b"letter.dot", b"\xd0\xcf\x11\xe0", (400, "legacy_format", "old .dot format")),
    (b"talk.PPS", b"\xd0\xcf\x11\xe0", (400, "legacy_format", "save it as .pptx")),
    (b"../../etc/passwd", b"x", (400, "unsupported_file_type", "(passwd)")),
    (b"safe.txt\x00.exe", b"x", (400, "unsupported_file_type", ".exe")),
    ("safe\u202etxt.exe".encode(), b"x", (400, "unsupported_file_type", ".exe")),
    (b"a\r\nX-Evil: 1.txt", b"x", (400, "unsupported_file_type", ALLOWED)),
    (b"x" * 300 + b".txt", b"x", (400, "bad_file_name", "longer than 255 characters: shorten")),
    (b"..", b"x", (400, "bad_file_name", "no usable name")),
    (b"", b"x", (400, "bad_file_name", "no usable name")),
    ("\u200b\u202e".encode(), b"x", (400, "bad_file_name", "no usable name")),
    (b"folder.txt/", b"x", (400, "bad_file_name", "no usable name")),
)
"""Names and bytes that the gateway does not take."""

NAMES: tuple[tuple[bytes, str], ...] = (
    (b"../../etc/passwd.txt", "passwd.txt"),
    (b"/etc/shadow.txt", "shadow.txt"),
    (b"..%2f..%2fetc%2fgroup.txt", "group.txt"),
    (b"%2e%2e%2fhosts.txt", "hosts.txt"),
    (b"C:\\Windows\\system32\\evil.txt", "evil.txt"),
    (b"\\\\server\\share\\x.txt", "x.txt"),
    (b"CON.txt", "CON.txt"),
    (b"nul\x00byte.txt", "nulbyte.txt"),
    (b"line%0d%0afeed.txt", "linefeed.txt"),
    (b"red\x1b[31m.txt", "red[31m.txt"),
    ("txt\u202egpj.md".encode(), "txtgpj.md"),
    ("un\u200bseen\U000e0041.txt".encode(), "unseen.txt"),
    ("line\u2028break.txt".encode(), "linebreak.txt"),
    ("Cafe\u0301.txt".encode(), "Café.txt"),
    (b"caf\xe9.txt", "café.txt"),
    ("\u0645\u06cc\u200c\u062e\u0648.txt".encode(), "\u0645\u06cc\u200c\u062e\u0648.txt"),
    (b"x" * 251 + b".txt", "x" * 251 + ".txt"),
    (b"100%.TXT", "100%.TXT"),
    (b"$(reboot);'--.txt", "$(reboot);'--.txt"),
)
"""What a client calls a file, and what it is called from then on."""

MALFORMED: tuple[tuple[bytes, str, Answered], ...] = (
    (b"junk", "multipart/form-data; boundary=x", (400, "malformed_multipart", "not well-formed")),
    (b"--x\r\n\xff", "multipart/form-data; boundary=x", (400, "malformed_multipart", "not well")),
    (
        b'--x\r\nContent-Disposition: form-data; name="files"; filename="cut.txt"\r\n\r\nabc',
        "multipart/form-data; boundary=x",
        (400, "malformed_multipart", "not well-formed"),
    ),
    (b"{}", JSON, (400, "not_multipart", "must be multipart/form-data")),
    (b"x", "multipart/form-data", (400, "not_multipart", "with a boundary")),
    (b"--x--\r\n", "multipart/form-data; boundary=x", (400, "missing_parameter", "files is")),
)
"""Uploads that are none."""
