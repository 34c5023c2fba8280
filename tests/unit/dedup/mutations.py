"""Edits of SQL by a seed: some keep what a test means, some change it. Written from a description of the kinds."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

_TOKEN = re.compile(r"'(?:[^'\\]|''|\\.)*'|\"[^\"]*\"|\d+(?:\.\d+)?|\w+|<>|!=|<=|>=|\s+|.", re.DOTALL)

#: Scripts of the kinds that a corpus holds; names that may be renamed start with ``n_``.
SCRIPTS = (
    "create table n_orders (n_key int primary key, n_name varchar(20), n_total decimal(10,2));\n"
    "insert into n_orders (n_key, n_name, n_total) values (11, 'apple', 12.50), (12, 'pear', 13.75);\n"
    "select n_name, n_total from n_orders where n_key = 11 and n_total > 12.25 order by n_name;",
    "select n_a, count(*) from n_t where n_b in (21, 34, 55) and n_a <> 'seven' group by n_a, n_b order by 1 limit 10;",
    "create table n_s (n_v smallint, n_d date);\nselect in_range(n_v, 12, 15) from n_s where n_d > '2020-03-04';",
    "update n_t set n_a = 45 where n_b between 12 and 30 and n_c = 'green';",
    "select n_x.n_a from n_x join n_y on n_x.n_a = n_y.n_a where n_y.n_b = 25 or n_x.n_c = 'blue';",
    "create snapshot n_sp for table n_db n_t;\nselect * from n_t {snapshot = 'before'};",
    "select date_format(n_d, '%Y-%m'), round(n_v, 2) from n_t where n_name like 'a%' limit 0;",
)


def tokens(sql: str) -> list[str]:
    """The pieces of ``sql``, white space included; joined they give it back."""
    return _TOKEN.findall(sql)


def rename(sql: str, random_: random.Random) -> str:
    """Other names for all that may be renamed."""
    seen: dict[str, str] = {}

    def other(match: re.Match[str]) -> str:
        return seen.setdefault(match[0].lower(), f"r{random_.randrange(10**6)}_{len(seen)}")

    return re.sub(r"\bn_\w+", other, sql, flags=re.IGNORECASE)


def space(sql: str, random_: random.Random) -> str:
    """Other white space, and comments."""
    fillers = (" ", "\n", "\t ", " /* it's; a note */ ", " -- don't; mind\n", ' # "so\n')
    return "".join(random_.choice(fillers) if piece.isspace() else piece for piece in tokens(sql))


def case(sql: str, random_: random.Random) -> str:
    """Other case outside strings."""
    change = random_.choice((str.upper, str.lower, str.title))
    return "".join(piece if piece[0] in "'\"" else change(piece) for piece in tokens(sql))


def synonym(sql: str, random_: random.Random) -> str:
    """Other spellings of one meaning."""
    for spelled, other in (
        ("<>", "!="),
        (r"\bint\b", "integer"),
        (r"\bjoin\b", "inner join"),
        (r"order by n_name", r"\g<0> asc"),
    ):
        if random_.random() < 0.8:
            sql = re.sub(spelled, other, sql)
    return sql


def literal(sql: str, random_: random.Random) -> str:
    """Each plain literal another one of its class: equal ones stay equal, unequal ones unequal."""
    step = random_.randrange(1, 5)
    parts = []
    for place, piece in enumerate(pieces := tokens(sql)):
        before = "".join(pieces[max(0, place - 4) : place]).lower()
        fixed = (
            re.search(r"(varchar|decimal)\(\d*,?$|by |like |limit |, $", before) is not None
            and "in_range" not in before
        )
        if piece.isdecimal() and 10 <= int(piece) < 100 and not fixed:
            parts.append(str(int(piece) + step))
        elif re.fullmatch(r"'[a-z]+'", piece) and not fixed:
            parts.append("'" + "".join(chr((ord(c) - 97 + step) % 26 + 97) for c in piece[1:-1]) + "'")
        else:
            parts.append(piece)
    return "".join(parts)


def reorder(sql: str, random_: random.Random) -> str:
    """IN, GROUP BY, AND and INSERT columns in another order."""
    sql = re.sub(r"\((\d+), (\d+), (\d+)\)", r"(\3, \1, \2)", sql) if "in (" in sql else sql
    sql = re.sub(r"group by (\w+), (\w+)", r"group by \2, \1", sql)
    sql = re.sub(r"where ([\w.]+ (?:=|>) [\w.']+) and ([\w.]+ (?:=|>) [\w.']+)", r"where \2 and \1", sql)
    if "(n_key, n_name, n_total) values" in sql:
        sql = sql.replace("(n_key, n_name, n_total)", "(n_total, n_key, n_name)")
        sql = re.sub(r"\((\d+), ('\w+'), ([\d.]+)\)", r"(\3, \1, \2)", sql)
    return sql


Edit = Callable[[str, random.Random], str]
#: Edits after which a script tests the same. Reordering and renaming of what was renamed go first, by their patterns.
KEEPING: tuple[Edit, ...] = (reorder, synonym, literal, rename, case, space)

#: Changes after which it does not: pattern, replacement.
CHANGES = (
    (r"\b(1[1-9]|2[0-9]|3[0-9]|4[0-9]|55)\b(?=[,)]| and| or| where|;)", "0"),
    (r"\b(1[1-9]|2[0-9]|3[0-9]|4[0-9]|55)\b(?=[,)]| and| or| where|;)", "2147483647"),
    (r"'(apple|seven|green|blue)'", "''"),
    (r"'(apple|seven|green|blue)'", "null"),
    (r"'2020-03-04'", "'9999-12-31'"),
    (r"\bsmallint\b", "bigint"),
    (r"decimal\(10,2\)", "decimal(38,10)"),
    (r"varchar\(20\)", "char(20)"),
    (r"\bcount\(", "sum("),
    (r"\bround\(", "truncate("),
    (r"^select ", "select distinct "),
    (r"^insert into", "replace into"),
    (r" and ", " or "),
    (r"'%Y-%m'", "'%H:%i'"),
    (r"'a%'", "'%a'"),
    (r"order by 1", "order by 2"),
    (r"limit 0", "limit 10"),
    (r"limit 10", "limit 1"),
    (r"create snapshot", "drop snapshot"),
    (r"n_x\.n_a = n_y\.n_a", "n_x.n_a = n_x.n_a"),
    (r"for table", "for account"),
)


def changes(sql: str) -> list[str]:
    """``sql`` once for each significant change that applies to it."""
    return [changed for pattern, new in CHANGES if (changed := re.sub(pattern, new, sql, count=1, flags=re.M)) != sql]
