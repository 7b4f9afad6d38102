"""Blobs in a bucket of any server that speaks S3: the same keys and the same promises as the folder's.

What streams in is first gathered, in memory or beside the data, since the key is known only with the last byte; then
it is uploaded whole, in parts where it is large, so that a reader sees all of it or none. What is removed is looked at
just before that, since S3 knows no removal on a condition.
"""

import asyncio
import hashlib
import io
import itertools
import logging
import os
import tempfile
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO, TypeVar, cast
from urllib.parse import urlsplit

import certifi
import urllib3
import urllib3.exceptions
from minio import Minio
from minio.error import InvalidResponseError, MinioException, S3Error

from contracts.blob import BlobRef
from shared.blobs import PIECE, BlobDamaged, BlobMissing, Held, verified
from shared.clock import now
from shared.errors import GristmillError, Unavailable
from shared.settings import Settings
from shared.telemetry.metrics import BLOB_BYTES, BLOBS

PART = 8 * 1024 * 1024
"""Bytes held in memory of what goes in; larger blobs are gathered on disk and uploaded in parts of this size."""
LISTED = 1000
"""Blobs that one request lists."""
STEP = 1024 * 1024
"""Bytes of one request of what is streamed out, so that a slow reader holds no connection."""
THREADS = 16
"""Requests under way at once in one process; the rest wait their turn."""
CONNECT, READ = 3.0, 15.0
"""Seconds until a server counts as away: that does not take a connection, that says nothing more."""
RETRY_AFTER = 3.0
MARK = "gristmill"
"""A key that no tenant's can be (theirs have slashes); written at start, to learn whether all the rest will work."""
REFUSALS = {
    "AccessDenied": "refuses the access",
    "AuthorizationHeaderMalformed": "does not lie in the region",
    "InvalidAccessKeyId": "does not know the access key",
    "PermanentRedirect": "does not lie in the region",
    "RequestTimeTooSkewed": "says that this machine's clock is wrong, and refuses the access",
    "SignatureDoesNotMatch": "does not take the secret key",
}

T = TypeVar("T")
log = logging.getLogger(__name__)
# It repeats each failed request with its address; what matters of it is said by the error raised here.
logging.getLogger("urllib3").setLevel(logging.ERROR)


class S3Blobs:
    """Blobs as objects of one bucket. ``close`` when done.

    ``spool`` is a folder for what is too large for memory while it comes in. What was put longer than ``renew`` seconds
    ago is uploaded anew when it is put again, so that nobody removes it as forgotten; None: never.
    """

    def __init__(
        self,
        endpoint: str,
        bucket: str,
        access_key: str,
        secret_key: str,
        *,
        region: str = "us-east-1",
        spool: Path | None = None,
        renew: float | None = None,
    ) -> None:
        self._where = f"bucket {bucket} at {endpoint}"
        self._bucket = bucket
        self._spool = None if spool is None else str(spool)
        self._renew = None if renew is None else timedelta(seconds=renew)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="s3")
        self._http = urllib3.PoolManager(
            timeout=urllib3.Timeout(connect=CONNECT, read=READ),
            maxsize=THREADS,
            ca_certs=os.environ.get("SSL_CERT_FILE") or certifi.where(),
            retries=urllib3.Retry(
                total=2, read=1, backoff_factor=0.2, status_forcelist=(500, 502, 503, 504)
            ),
        )
        host, secure = address(endpoint)
        self._client = Minio(
            host,
            access_key=access_key,
            secret_key=secret_key,
            secure=secure,
            region=region,
            http_client=self._http,
        )

    @classmethod
    def of(cls, settings: Settings) -> "S3Blobs":
        """As the settings say. Raise ``GristmillError`` (setting_missing, setting_invalid)."""
        access, secret = settings.s3_access_key, settings.s3_secret_key
        if settings.s3_endpoint is None or access is None or secret is None:
            raise GristmillError(
                "setting_missing",
                "S3_ENDPOINT, S3_ACCESS_KEY and S3_SECRET_KEY belong together: set all three.",
            )
        return cls(
            settings.s3_endpoint,
            settings.s3_bucket,
            access.get_secret_value(),
            secret.get_secret_value(),
            region=settings.s3_region,
            spool=settings.data / "incoming",
            renew=settings.blob_grace / 2 or None,
        )

    async def check(self) -> None:
        """Write a small mark, since a right to read would not prove that of writing."""
        try:
            await self._call(lambda: self._upload(MARK, io.BytesIO(b"1"), 1, "text/plain"))
        except Refusing as refusing:
            raise GristmillError(refusing.code, refusing.message) from None

    def close(self) -> None:
        """What is under way is not waited for."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._http.clear()

    async def put(self, tenant: str, kind: str, data: bytes, media: str) -> BlobRef:
        sha256 = await self._run(lambda: hashlib.sha256(data).hexdigest())
        ref = BlobRef(kind=kind, sha256=sha256, size=len(data), media=media)
        await self._keep(tenant, ref, io.BytesIO(data))
        return ref

    async def put_stream(
        self, tenant: str, kind: str, pieces: AsyncIterator[bytes], media: str
    ) -> BlobRef:
        if self._spool is not None:
            await asyncio.to_thread(os.makedirs, self._spool, 0o700, exist_ok=True)
        digest, size = hashlib.sha256(), 0
        with tempfile.SpooledTemporaryFile(max_size=PART, dir=self._spool) as file:
            async for piece in pieces:
                digest.update(piece)
                size += len(piece)
                if size > PART:
                    await asyncio.to_thread(file.write, piece)
                else:
                    file.write(piece)
            await asyncio.to_thread(file.seek, 0)
            ref = BlobRef(kind=kind, sha256=digest.hexdigest(), size=size, media=media)
            await self._keep(tenant, ref, cast(BinaryIO, file))
        return ref

    async def _keep(self, tenant: str, ref: BlobRef, file: BinaryIO) -> None:
        # The same bytes once more cost one question; for small ones that is as dear as sending them.
        if ref.size > PART and await self._is_fresh(tenant, ref):
            return
        await self._call(lambda: self._upload(ref.key(tenant), file, ref.size, ref.media))
        BLOBS.add("put")
        BLOB_BYTES.add("put", by=ref.size)

    async def _is_fresh(self, tenant: str, ref: BlobRef) -> bool:
        """Whether it is there, and long enough from being forgotten."""
        key = ref.key(tenant)
        try:
            about = await self._call(lambda: self._client.stat_object(self._bucket, key), key)
        except BlobMissing:
            return False
        put = about.last_modified
        return self._renew is None or (put is not None and now() - put < self._renew)

    def _upload(self, key: str, file: BinaryIO, size: int, media: str) -> None:
        # One part after the other: several at once would each be held in memory.
        self._client.put_object(
            self._bucket, key, file, size, media, part_size=PART, num_parallel_uploads=1
        )

    async def get(self, tenant: str, ref: BlobRef) -> bytes:
        data = await self._call(lambda: self._read(ref.key(tenant), 0, 0), ref.key(tenant))
        BLOBS.add("get")
        BLOB_BYTES.add("get", by=len(data))
        return await self._run(lambda: verified(tenant, ref, data))

    def _read(self, key: str, start: int, length: int) -> bytes:
        """``length`` bytes from ``start``; 0: all of them."""
        response = self._client.get_object(self._bucket, key, offset=start, length=length)
        try:
            return response.read()
        finally:
            response.close()
            response.release_conn()

    async def stream(
        self, tenant: str, ref: BlobRef, start: int = 0, end: int | None = None
    ) -> AsyncIterator[bytes]:
        end = ref.size if end is None else min(end, ref.size)
        key, digest = ref.key(tenant), hashlib.sha256()
        if start >= end and not await self.holds(tenant, ref):
            raise BlobMissing(key)
        for at in range(start, end, STEP):
            step = await self._step(key, at, min(STEP, end - at))
            for n in range(0, len(step), PIECE):
                piece = step[n : n + PIECE]
                digest.update(piece)
                yield piece
        if (start, end) == (0, ref.size) and digest.hexdigest() != ref.sha256:
            raise BlobDamaged(key)

    async def _step(self, key: str, at: int, length: int) -> bytes:
        return await self._call(lambda: self._read(key, at, length), key)

    async def holds(self, tenant: str, ref: BlobRef) -> bool:
        key = ref.key(tenant)
        try:
            await self._call(lambda: self._client.stat_object(self._bucket, key), key)
        except BlobMissing:
            return False
        return True

    async def held(self, tenant: str, kind: str) -> AsyncIterator[Held]:
        prefix = f"{tenant}/{kind}/"
        objects = self._client.list_objects(self._bucket, prefix=prefix, recursive=True)
        while page := await self._call(lambda: list(itertools.islice(objects, LISTED))):
            for each in page:
                if each.object_name and each.last_modified is not None:
                    sha256 = each.object_name.removeprefix(prefix)
                    yield Held(tenant, kind, sha256, each.size or 0, each.last_modified)

    async def remove(self, held: Held) -> bool:
        key = held.key
        try:
            about = await self._call(lambda: self._client.stat_object(self._bucket, key), key)
        except BlobMissing:
            return False
        put = about.last_modified
        # A listing tells milliseconds, an object whole seconds.
        if put is None or int(put.timestamp()) != int(held.changed.timestamp()):
            return False
        await self._call(lambda: self._client.remove_object(self._bucket, key))
        return True

    async def _call(self, work: Callable[[], T], key: str = "") -> T:
        """The result of a request. Raise ``BlobMissing`` of that key, or ``Unavailable`` for whatever else goes wrong:
        the same request made again later is right, however long somebody needs to mend the server or the keys.
        """
        try:
            return await self._run(work)
        except S3Error as problem:
            if key and problem.code == "NoSuchKey":
                raise BlobMissing(key) from None
            raise self._told(problem) from None
        except InvalidResponseError as problem:
            status = problem.args[0].partition(", Content-Type")[0]
            raise self._away(f"gave an answer that is not S3's ({status})") from None
        except MinioException as problem:
            raise self._away(f"failed ({problem})") from None
        except urllib3.exceptions.HTTPError as problem:
            why = problem.reason if isinstance(problem, urllib3.exceptions.MaxRetryError) else None
            log.debug("%s: %r", self._where, problem)
            raise self._away(f"cannot be reached ({_named(why or problem)})") from None

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def _told(self, problem: S3Error) -> Unavailable:
        if problem.code == "NoSuchBucket":
            return Refusing(
                "blobs_bucket_missing",
                f"The blob store has no {self._where}: create it, or name another with S3_BUCKET.",
            )
        if problem.code in REFUSALS:
            return Refusing(
                "blobs_refused",
                f"The blob store ({self._where}) {REFUSALS[problem.code]}: check S3_ACCESS_KEY, S3_SECRET_KEY "
                f"and S3_REGION. [{problem.code}]",
            )
        return self._away(f"failed ({problem.code}: {problem.message})")

    def _away(self, what: str) -> Unavailable:
        return Unavailable(
            "blobs_unavailable",
            f"The blob store ({self._where}) {what}.",
            waiting_for="the blob store",
            retry_after=RETRY_AFTER,
        )


class Refusing(Unavailable):
    """The server is there, but keys or bucket are wrong. At start that is an error; later it is waited out."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message, waiting_for="the blob store", retry_after=10 * RETRY_AFTER)


def address(endpoint: str) -> tuple[str, bool]:
    """Host (with its port) and whether it is spoken to by TLS. Raise ``GristmillError`` (setting_invalid)."""
    parts = urlsplit(endpoint)
    plain = not (parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc)
    if parts.scheme not in {"http", "https"} or not parts.hostname or not plain:
        raise GristmillError(
            "setting_invalid",
            "S3_ENDPOINT must be http:// or https:// with a host and perhaps a port, such as "
            "http://127.0.0.1:8333; the bucket's name goes into S3_BUCKET.",
        )
    return parts.netloc, parts.scheme == "https"


def _named(problem: BaseException) -> str:
    """A network error without the object in it, whose name holds nothing that a person could use."""
    if isinstance(problem, urllib3.exceptions.NewConnectionError):
        return "no connection"
    return type(problem).__name__
