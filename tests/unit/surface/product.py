"""A product of a few files, laid out as MatrixOne is."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

FILES = {
    "pkg/sql/plan/function/function_id.go": """package function
const (
	ASCII = 1
	UPPER = 2
)
var functionIdRegister = map[string]int32{
	"ascii": ASCII,
	"ord":   ASCII,
	"upper": UPPER,
}
""",
    "pkg/sql/plan/function/list_builtIn.go": """package function
var supportedStringBuiltIns = []FuncNew{
	{
		functionId: ASCII,
		checkFn:    fixedTypeMatch,
		Overloads: []overload{
			{
				overloadId: 0,
				args:       []types.T{types.T_varchar, types.T_int64},
				retType: func(parameters []types.Type) types.Type {
					return types.T_uint8.ToType()
				},
				newOp: func() executeLogicOfOverload {
					return AsciiString
				},
			},
		},
	},
	{
		functionId: UPPER,
		checkFn:    fixedTypeMatch,
		Overloads: []overload{
			{
				overloadId: 0,
				isAgg:      true,
				args:       []types.T{types.T_varchar},
				newOp: func() executeLogicOfOverload {
					return newOpUpper().builtInUpper
				},
			},
		},
	},
}
""",
    "pkg/sql/plan/function/func_unary.go": """package function
func AsciiString(x string) uint8 {
	return firstByte(x)
}

func firstByte(x string) uint8 {
	return lowest(x)
}
""",
    "pkg/sql/plan/build_ddl.go": """package plan
func buildCreateSnapShot(stmt *tree.CreateSnapShot) error {
	return checkName(stmt)
}

func checkName(stmt any) error {
	return nil
}
""",
    "pkg/sql/colexec/intersectall/intersect.go": "package intersectall\n",
    "pkg/sql/colexec/hashjoin/join.go": "package hashjoin\n",
    "pkg/sql/parsers/dialect/mysql/keywords.go": """package mysql
func init() {
	keywords = map[string]int{
		"create":    CREATE,
		"snapshot":  SNAPSHOT,
		"for":       FOR,
		"intersect": INTERSECT,
		"all":       ALL,
		"account":   ACCOUNT,
		"old":       UNUSED,
	}
}
""",
    "pkg/sql/parsers/dialect/mysql/mysql_sql.y": """%{ package mysql %}
%token <str> CREATE
%%
create_snapshot_stmt:
    CREATE SNAPSHOT ident FOR '{' STRING '}'
    {
        if $3 == "}" { $$ = 1 }
        $$ = &tree.CreateSnapShot{
            Name: $3,
        }
    }
|   CREATE SNAPSHOT ident FOR ACCOUNT
    {
        $$ = tree.NewCreateSnapShot($3)
    }
%%
""",
    "pkg/frontend/variables.go": """package frontend
var gSysVarsDefs = map[string]SystemVariable{
	"autocommit": {
		Name:              "autocommit",
		Scope:             ScopeBoth,
		Dynamic:           true,
		Type:              InitSystemVariableBoolType("autocommit"),
	},
	"port": {
		Name:              "port",
		Scope:             ScopeGlobal,
		Dynamic:           false,
		Type:              InitSystemVariableIntType("port", 0, 65535, false),
	},
}
""",
    "pkg/common/moerr/error.go": """package moerr
var errorMsgRefer = map[uint16]moErrorMsgItem{
	ErrDivByZero: {ER_DIVISION_BY_ZERO, []string{MySQLDefaultSqlState}, "division by zero"},
}
""",
}


class FileTree:
    """A revision made of a dictionary."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self._files = files
        self.reads = 0

    @property
    def blobs(self) -> Mapping[str, str]:
        return {path: sha256(text.encode()).hexdigest() for path, text in self._files.items()}

    def read(self, path: str) -> bytes | None:
        self.reads += 1
        return self._files[path].encode()
