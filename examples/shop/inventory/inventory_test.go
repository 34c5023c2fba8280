package inventory

import "testing"

func TestReserve(t *testing.T) {
	stock := Stock{"cup": 3}
	if err := stock.Reserve("cup", 2); err != nil {
		t.Fatal(err)
	}
	if err := stock.Reserve("cup", 2); err == nil {
		t.Error("more was reserved than there is")
	}
	if stock["cup"] != 1 {
		t.Errorf("%d left, want 1", stock["cup"])
	}
}

func TestReserveRefusesNonsense(t *testing.T) {
	if err := (Stock{"cup": 3}).Reserve("cup", -1); err == nil {
		t.Error("a negative number was reserved")
	}
}
