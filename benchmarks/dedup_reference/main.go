// Command dedupreference is the simple way to find repeated SQL: comments, literals and case removed by regular
// expressions, SHA-256 of what is left. It is the unit in which benchmarks/dedup.py counts time.
//
//	dedupreference DIR      reads every .sql and .test below DIR; prints statements, distinct digests, repeated scripts
package main

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

var (
	comments = regexp.MustCompile(`(?s)/\*.*?\*/|--[^\n]*|#[^\n]*`)
	literals = regexp.MustCompile(`'[^']*'|"[^"]*"|\b\d+(?:\.\d+)?\b`)
	spaces   = regexp.MustCompile(`\s+`)
)

type digest = [sha256.Size]byte

// statements normalizes a script's text and returns the digest of each of its statements.
func statements(text string) []digest {
	text = comments.ReplaceAllString(text, " ")
	text = literals.ReplaceAllString(text, "?")
	text = spaces.ReplaceAllString(strings.ToLower(text), " ")
	var found []digest
	for _, statement := range strings.Split(text, ";") {
		if statement = strings.TrimSpace(statement); statement != "" {
			found = append(found, sha256.Sum256([]byte(statement)))
		}
	}
	return found
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: dedupreference DIR")
		os.Exit(2)
	}
	total := 0
	seen := map[digest][]string{}
	scripts := map[digest][]string{}
	err := filepath.WalkDir(os.Args[1], func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !(strings.HasSuffix(path, ".sql") || strings.HasSuffix(path, ".test")) {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		whole := sha256.New()
		for _, one := range statements(string(text)) {
			seen[one] = append(seen[one], path)
			whole.Write(one[:])
			total++
		}
		key := digest(whole.Sum(nil))
		scripts[key] = append(scripts[key], path)
		return nil
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	repeated := 0
	for _, paths := range scripts {
		repeated += len(paths) - 1
	}
	fmt.Printf("%d statements, %d distinct, %d repeated scripts\n", total, len(seen), repeated)
}
