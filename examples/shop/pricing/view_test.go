package pricing

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The reports and the till must not disagree: the view that the SQL cases test is the one of this package.
func TestViewIsTheOneOfTheCases(t *testing.T) {
	scripts, err := filepath.Glob("../cases/*/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, script := range scripts {
		text, err := os.ReadFile(script)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), "create view discounted") {
			continue
		}
		found++
		if !strings.Contains(string(text), View) {
			t.Errorf("%s creates another view than pricing.View", script)
		}
	}
	if found == 0 {
		t.Error("no case creates the view")
	}
}
