// Package inventory knows how much of everything is left.
package inventory

import "fmt"

// Stock is the number of pieces of each article.
type Stock map[string]int

// Reserve takes count pieces of an article out of the stock, or none and an error when there are too few.
func (s Stock) Reserve(sku string, count int) error {
	if count < 1 {
		return fmt.Errorf("cannot reserve %d of %s", count, sku)
	}
	if s[sku] < count {
		return fmt.Errorf("only %d of %s left, not %d", s[sku], sku, count)
	}
	s[sku] -= count
	return nil
}
