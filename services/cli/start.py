"""Where the command `gristmill` begins: a Ctrl-C while its modules are still being loaded ends it without a word.

Imports next to nothing itself, so that this holds from the first moment on.
"""

import signal


def main() -> None:
    """Run the command line."""
    usual = signal.signal(signal.SIGINT, signal.SIG_DFL)
    from services.cli.__main__ import main as run

    signal.signal(signal.SIGINT, usual)
    run()
