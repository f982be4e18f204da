package decide

import "math/big"

// wide calculates without bounds and says whether the result fits 64 bits.
func wide(op byte, x, y int64) (int64, bool) {
	a, b, n := big.NewInt(x), big.NewInt(y), new(big.Int)
	switch op {
	case '+':
		n.Add(a, b)
	case '-':
		n.Sub(a, b)
	case '*':
		n.Mul(a, b)
	default:
		if y == 0 {
			return 0, false
		}
		// CEL makes the remainder of the smallest int by -1 an overflow, as the quotient is.
		if q := new(big.Int).Quo(a, b); !q.IsInt64() {
			return 0, false
		}
		if op == '/' {
			n.Quo(a, b)
		} else {
			n.Rem(a, b)
		}
	}
	return n.Int64(), n.IsInt64()
}
