package cart

import (
	"testing"

	"example.com/shop/money"
)

func TestTotal(t *testing.T) {
	small := []Line{{"cup", 1250, 1}, {"tea", 450, 3}}
	large := []Line{{"kettle", 3990, 2}}
	for _, test := range []struct {
		name   string
		lines  []Line
		member bool
		want   money.Cents
	}{
		{"an empty cart is free", nil, false, 0},
		{"small orders pay shipping", small, false, 3095},
		{"members pay less", small, true, 2835},
		{"large orders ship free", large, false, 7980},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := Total(test.lines, test.member); got != test.want {
				t.Errorf("Total = %v, want %v", got, test.want)
			}
		})
	}
}

func TestSum(t *testing.T) {
	if got := Sum([]Line{{"cup", 1250, 2}}); got != 2500 {
		t.Errorf("Sum = %v, want 25.00", got)
	}
}
