"""A script's fingerprints as the rows of the index (`corpus`)."""

from __future__ import annotations

from orchestrator.cases.corpus import BuiltRows, short, signed
from orchestrator.cases.fingerprint_script import Reader
from orchestrator.cases.script import parse_script


class Builder:
    """Makes the rows of one script after another."""

    def __init__(self) -> None:
        self._reader = Reader(slim=True)

    def rows(self, path: str, content: bytes) -> BuiltRows:
        """The rows of the script ``path``; damaged bytes are read as U+FFFD."""
        script = self._reader.read(parse_script(content.decode("utf-8", "replace"), path))
        statements: dict[tuple[int, bytes, bytes], list[int]] = {}
        for (statement, _, digest), line, _session in script.statements:
            key = (statement.bag, digest, statement.exact)
            if key in statements:
                statements[key][1] += 1
            else:
                statements[key] = [line, 1]
        whole = script.fingerprint
        return (
            (len(script.statements), whole.shape, whole.exact, signed(whole.bag)),
            [
                ((signed(bag), short(shape), short(exact)), (line, times))
                for (bag, shape, exact), (line, times) in statements.items()
            ],
            [
                (
                    (signed(block.fingerprint.bag), short(block.fingerprint.shape), short(block.fingerprint.exact)),
                    (block.first, block.last, block.first_line, block.last_line),
                )
                for block in script.blocks
            ],
        )
