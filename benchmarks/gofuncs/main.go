// Command gofuncs is the ground truth of benchmarks/functions.py: the functions of Go files as Go's own parser sees them.
//
// Input, any number of times: a line "ID SIZE", then SIZE bytes of source. Output, per file: a line "file ID", or
// "bad ID" when the parser refuses it, then a line "NAME FIRST LAST" per function (physical lines, //line ignored).
package main

import (
	"bufio"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
)

func main() {
	in, out := bufio.NewReader(os.Stdin), bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for {
		var id string
		var size int
		if _, err := fmt.Fscanf(in, "%s %d\n", &id, &size); err != nil {
			return
		}
		source := make([]byte, size)
		if _, err := io.ReadFull(in, source); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		report(out, id, source)
	}
}

func report(out io.Writer, id string, source []byte) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, id, source, parser.SkipObjectResolution)
	if err != nil {
		fmt.Fprintln(out, "bad", id)
		return
	}
	fmt.Fprintln(out, "file", id)
	for _, declaration := range file.Decls {
		if function, ok := declaration.(*ast.FuncDecl); ok {
			first := files.PositionFor(function.Type.Func, false).Line
			last := files.PositionFor(function.End()-1, false).Line
			fmt.Fprintln(out, name(function), first, last)
		}
	}
}

func name(function *ast.FuncDecl) string {
	if function.Recv == nil || len(function.Recv.List) == 0 {
		return function.Name.Name
	}
	return receiver(function.Recv.List[0].Type) + "." + function.Name.Name
}

func receiver(kind ast.Expr) string {
	switch kind := kind.(type) {
	case *ast.StarExpr:
		return receiver(kind.X)
	case *ast.ParenExpr:
		return receiver(kind.X)
	case *ast.IndexExpr:
		return receiver(kind.X)
	case *ast.IndexListExpr:
		return receiver(kind.X)
	case *ast.Ident:
		return kind.Name
	}
	return "?"
}
