// Package pricing says what goods cost: in Go for the till, and as a SQL view for the reports.
package pricing

import "example.com/shop/money"

// View is Discounted for the database. The SQL cases create it; a test keeps both texts the same.
const View = `create view discounted as
select sku, (price * (100 - percent) + 50) div 100 as pays
from goods;`

// Discounted takes percent off a price. Half a cent rounds up.
func Discounted(price money.Cents, percent int64) money.Cents {
	return (price*money.Cents(100-percent) + 50) / 100
}

// WithTax adds percent to a price. Half a cent rounds up.
func WithTax(price money.Cents, percent int64) money.Cents {
	return (price*money.Cents(100+percent) + 50) / 100
}
