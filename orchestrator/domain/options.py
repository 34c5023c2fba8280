"""Values of options on a command line, for ``type=`` of argparse: what is none of them is told with what would be."""

from __future__ import annotations

import argparse


def positive(text: str) -> int:
    """A whole number from 1 on, for ``type=`` of an option."""
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1 on")
    return number


def natural(text: str) -> int:
    """A whole number from 0 on, for ``type=`` of an option."""
    if text.isascii() and text.isdecimal() and len(text) < 10:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 0 on")


def port(text: str) -> int:
    """A port to listen on, for ``type=`` of an option; 0 is any that is free."""
    if text.isascii() and text.isdecimal() and len(text) < 10 and int(text) <= 65535:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no port: a number from 0 to 65535")


def percent(text: str) -> int:
    """A share, for ``type=`` of an option."""
    if text.isascii() and text.isdecimal() and len(text) < 4 and int(text) <= 100:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no percentage: a whole number from 0 to 100")


def seconds(text: str) -> float:
    """A time, for ``type=`` of an option: not over before it begins; ``inf`` has no end."""
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not number > 0:  # nan is not, either
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds")
    return number
