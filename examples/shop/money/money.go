// Package money counts in whole cents, so that nothing is lost between two sums.
package money

import (
	"fmt"
	"strconv"
	"strings"
)

// Cents is an amount of money.
type Cents int64

// String writes an amount as people do: 1250 cents are "12.50".
func (c Cents) String() string {
	sign := ""
	if c < 0 {
		sign, c = "-", -c
	}
	return fmt.Sprintf("%s%d.%02d", sign, c/100, c%100)
}

// Parse reads what String writes.
func Parse(text string) (Cents, error) {
	whole, cents, found := strings.Cut(strings.TrimPrefix(text, "-"), ".")
	if !found || len(cents) != 2 {
		return 0, fmt.Errorf("%q is no amount: write it as 12.50", text)
	}
	amount, err := strconv.ParseUint(whole+cents, 10, 62)
	if err != nil {
		return 0, fmt.Errorf("%q is no amount: %w", text, err)
	}
	if strings.HasPrefix(text, "-") {
		return -Cents(amount), nil
	}
	return Cents(amount), nil
}
