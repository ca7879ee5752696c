"""Ties a program's life to its starter's: `python -I -S tether.py SIGNAL STARTER PROGRAM...`.

Becomes PROGRAM, which then receives SIGNAL when the process STARTER ends, however it ends
(Linux's PR_SET_PDEATHSIG; elsewhere nothing is set). It is a program of its own because
code between fork and exec is unsafe in a process with threads, and because `unshare` would
clear a signal that was set before it.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1
"""From <sys/prctl.h>."""


def main() -> None:
    """Set the signal, make sure that the starter still lives, become the program."""
    death_signal, starter, program = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0) != 0:
            sys.exit(f"prctl: {os.strerror(ctypes.get_errno())}")
    if os.getppid() != starter:
        sys.exit("the starter ended first")
    os.execvp(program[0], program)  # noqa: S606 - the starter's own command, no shell wanted


if __name__ == "__main__":
    main()
