package money

import "testing"

func TestStringAndParse(t *testing.T) {
	for _, test := range []struct {
		cents Cents
		text  string
	}{
		{0, "0.00"},
		{5, "0.05"},
		{1250, "12.50"},
		{-99, "-0.99"},
	} {
		t.Run(test.text, func(t *testing.T) {
			if got := test.cents.String(); got != test.text {
				t.Errorf("String() = %q, want %q", got, test.text)
			}
			got, err := Parse(test.text)
			if err != nil || got != test.cents {
				t.Errorf("Parse(%q) = %d, %v, want %d", test.text, got, err, test.cents)
			}
		})
	}
}

func TestParseRefusesWhatIsNoAmount(t *testing.T) {
	for _, text := range []string{"", "12", "12.5", "a.00", "1.2x", "--1.00"} {
		if got, err := Parse(text); err == nil {
			t.Errorf("Parse(%q) = %v, want an error", text, got)
		}
	}
}
