package pricing

import (
	"testing"

	"example.com/shop/money"
)

func TestDiscounted(t *testing.T) {
	for _, test := range []struct {
		name    string
		price   money.Cents
		percent int64
		want    money.Cents
	}{
		{"nothing off", 1250, 0, 1250},
		{"ten percent off", 1250, 10, 1125},
		{"half a cent rounds up", 3990, 15, 3392},
		{"less than half rounds down", 1999, 15, 1699},
		{"all of it", 1250, 100, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := Discounted(test.price, test.percent); got != test.want {
				t.Errorf("Discounted(%d, %d) = %d, want %d", test.price, test.percent, got, test.want)
			}
		})
	}
}

func TestWithTax(t *testing.T) {
	if got := WithTax(1250, 19); got != 1488 {
		t.Errorf("WithTax(1250, 19) = %d, want 1488", got)
	}
}
