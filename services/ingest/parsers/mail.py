"""Mail messages (EML): subject, from, to, date and the text; attachments are named and never opened."""

import email.errors
import email.policy
from email.message import EmailMessage
from email.parser import BytesParser

from services.ingest.parsers.outcome import Extract, Unreadable
from services.ingest.parsers.plain import decode

PARSER = "gristmill-mail/1"
_HEADERS = ("From", "To", "Cc", "Date")
_SIGNS = ("from", "subject", "date", "received", "to", "message-id", "mime-version")
_MOST_ATTACHMENTS = 100


def read_mail(data: bytes) -> Extract:
    """The plain text of a message, else its HTML by way of the reader of web pages.

    Raise ``Unreadable``: corrupt_file where nothing in it is a message.
    """
    try:
        message = BytesParser(_class=EmailMessage, policy=email.policy.default).parsebytes(data)
        if not any(sign in message for sign in _SIGNS):
            raise Unreadable("corrupt_file", "The file holds no mail message: it has no headers.")
        subject = _header(message, "Subject")
        lines = [f"{name}: {value}" for name in _HEADERS if (value := _header(message, name))]
        body = _body(message)
        names = [_name(part) for part in message.iter_attachments()]
    except (email.errors.MessageError, ValueError, LookupError, AttributeError) as error:
        # What the standard library raises at headers and parts that are damaged is not all of one kind.
        raise Unreadable("corrupt_file", "The file is damaged: it is no readable mail.") from error
    blocks = [f"# {subject}"] if subject else []
    blocks += ["\n".join(lines), body.strip("\n")]
    if names:
        listed = "\n".join(f"- {name}" for name in names[:_MOST_ATTACHMENTS])
        blocks.append(f"Attachments (not read):\n\n{listed}")
    if not body.strip() and not subject:
        raise Unreadable("no_text", "The message has no text.")
    text = "\n\n".join(block for block in blocks if block) + "\n"
    return Extract(text=text, parser=PARSER, title=subject)


def _header(message: EmailMessage, name: str) -> str:
    return " ".join(str(message.get(name, "")).split())


def _name(part: EmailMessage) -> str:
    name = part.get_filename() or ""
    return " ".join(name.split())[:200] or f"unnamed ({part.get_content_type()})"


def _body(message: EmailMessage) -> str:
    part = message.get_body(preferencelist=("plain", "html"))
    if part is None:
        return ""
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return ""
    if part.get_content_type() == "text/html":
        from services.ingest.parsers.converted import read_html

        charset = part.get_content_charset("")
        return read_html(decode(payload, charset).encode()).text
    return decode(payload, part.get_content_charset("")).replace("\r\n", "\n")
