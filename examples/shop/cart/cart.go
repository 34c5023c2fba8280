// Package cart adds up what a customer takes.
package cart

import (
	"example.com/shop/money"
	"example.com/shop/pricing"
)

const (
	shipping      money.Cents = 495
	freeShipping  money.Cents = 5000
	memberPercent int64       = 10
)

// Line is some of one article.
type Line struct {
	SKU   string
	Price money.Cents
	Count int64
}

// Sum is what the goods cost, before shipping.
func Sum(lines []Line) money.Cents {
	var sum money.Cents
	for _, line := range lines {
		sum += line.Price * money.Cents(line.Count)
	}
	return sum
}

// Total is what the customer pays: members get ten percent off, and shipping is free from 50.00 on.
func Total(lines []Line, member bool) money.Cents {
	sum := Sum(lines)
	if member {
		sum = pricing.Discounted(sum, memberPercent)
	}
	if sum == 0 || sum >= freeShipping {
		return sum
	}
	return sum + shipping
}
