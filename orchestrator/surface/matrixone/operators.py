"""Which SQL makes an operator package run. Most packages are named by keywords; the others are listed."""

from __future__ import annotations

from collections.abc import Collection

#: Packages below ``pkg/sql/colexec`` whose name is no SQL (the executor's own words).
_SPOKEN = {
    "aggexec": ("group by",),
    "apply": ("cross apply", "outer apply"),
    "dedupjoin": ("insert", "primary key"),
    "deletion": ("delete",),
    "dispatch": ("union all",),
    "external": ("create external table", "load data"),
    "fuzzyfilter": ("insert", "unique key"),
    "group": ("group by", "with rollup"),
    "hashbuild": ("join", "in query"),
    "hashjoin": ("join", "left join", "right join", "exists query", "in query", "not in query"),
    "indexbuild": ("create index",),
    "indexjoin": ("create index", "join"),
    "lockop": ("for update",),
    "loopjoin": ("cross join", "join", "exists query", "not exists query"),
    "mergecte": ("with recursive",),
    "mergerecursive": ("with recursive",),
    "mergedelete": ("delete",),
    "mergeorder": ("order by",),
    "mergetop": ("order by", "limit"),
    "multi_update": ("update", "insert"),
    "onduplicatekey": ("on duplicate key update",),
    "order": ("order by",),
    "partition": ("over", "partition by"),
    "postdml": ("insert", "fulltext index"),
    "preinsert": ("insert", "auto_increment"),
    "preinsertsecondaryindex": ("insert", "create index"),
    "preinsertunique": ("insert", "unique key"),
    "product": ("cross join",),
    "productl2": ("create index", "l2_distance"),
    "rightdedupjoin": ("insert", "primary key"),
    "shuffle": ("group by", "join"),
    "shufflev2": ("group by", "join"),
    "table_clone": ("clone",),
    "table_function": ("cross join", "unnest"),
    "table_scan": ("select",),
    "timewin": ("interval", "sliding"),
    "top": ("order by", "limit"),
    "value_scan": ("values",),
    "window": ("over",),
}
#: A name with more letters is none that anybody wrote.
_LONGEST = 100


def spoken(package: str, words: Collection[str]) -> tuple[str, ...]:
    """SQL for an operator package: listed, or its name cut into keywords (``intersectall`` is ``intersect all``)."""
    if package.lower() in _SPOKEN:
        return _SPOKEN[package.lower()]
    cut = _cut(package.lower().replace("_", ""), words)
    return (" ".join(cut),) if cut else ()


def _cut(name: str, words: Collection[str]) -> list[str]:
    """The name as a row of keywords of two letters or more, longest first; nothing when it is none.

    Each end of the name is cut once: ``intointointo`` can be cut in more ways than could ever be tried.
    """
    cuts: dict[int, list[str]] = {len(name): []}
    for start in range(len(name) - 2, -1, -1) if len(name) <= _LONGEST else ():
        ends = (end for end in range(len(name), start + 1, -1) if end in cuts and name[start:end] in words)
        if end := next(ends, 0):
            cuts[start] = [name[start:end], *cuts[end]]
    return cuts.get(0, [])
