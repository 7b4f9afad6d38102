"""Who Postgres runs as. It refuses to be root, so root must be somebody else; a plain user is just itself.

Three ways for root, in this order: user ``nobody`` with the installed binaries; a user namespace, where files stay
root's; ``nobody`` with a copy of the binaries. No system user is created and no folder is opened to others.
"""

import asyncio
import os
import pwd
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

UNSHARE = ("unshare", "--user", "--map-user=1000", "--map-group=1000")
# `sh` runs as the account that is tried: the binary must start, and the folder must be its to write.
TRY = '"$1" --version && test -w "$2" && test -x "$2"'


@dataclass(frozen=True, slots=True)
class Account:
    """A way to run the binaries of ``folder``."""

    way: str
    folder: Path
    prefix: tuple[str, ...] = ()
    owner: tuple[int, int] | None = None
    """User and group to become; None: stay who we are."""

    @property
    def env(self) -> Mapping[str, str]:
        """Nothing of ours: no keys, and none of the PG* variables that would redirect it."""
        return {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "TZ": "UTC"}

    def run(self, name: str) -> tuple[str, ...]:
        return (*self.prefix, str(self.folder / name))

    async def call(self, name: str, *words: str) -> str | None:
        """Run one of the binaries to its end; None, or what it said where it failed."""
        return await self._finish((*self.run(name), *words))

    async def works(self, folder: Path) -> bool:
        """Whether this account can run the binaries and use ``folder``."""
        binary = str(self.folder / "postgres")
        argv = (*self.prefix, "/bin/sh", "-c", TRY, "sh", binary, str(folder))
        return await self._finish(argv) is None

    async def _finish(self, argv: tuple[str, ...]) -> str | None:
        user, group = self.owner or (None, None)
        try:
            process = await asyncio.create_subprocess_exec(
                *argv,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                env=dict(self.env),
                cwd="/",
                user=user,
                group=group,
                extra_groups=None if group is None else [],
            )
        except OSError as error:
            return str(error)
        said, _ = await process.communicate()
        return None if process.returncode == 0 else said.decode(errors="replace")


def accounts(binaries: Path, *, copy: bool = False) -> Iterator[Account]:
    """The ways that exist on this machine, best first."""
    if os.geteuid() != 0:
        yield Account("self", binaries)
        return
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        nobody = None
    if nobody is not None:
        way = "copy" if copy else "nobody"
        yield Account(way, binaries, owner=(nobody.pw_uid, nobody.pw_gid))
    if not copy and shutil.which("unshare", path=os.defpath) is not None:
        yield Account("unshare", binaries, prefix=UNSHARE)


def own(folder: Path, account: Account) -> None:
    """Make a folder and give it, and all below it, to the account; an earlier start may have used another way."""
    folder.mkdir(mode=0o700, exist_ok=True)
    if os.geteuid() != 0:
        return
    uid, gid = account.owner or (0, 0)
    for parent, _, files in os.walk(folder):
        for path in (Path(parent), *(Path(parent) / name for name in files)):
            if path.lstat().st_uid != uid:
                os.lchown(path, uid, gid)
