// Package nearest finds the valid word that somebody probably meant: "did you mean".
//
// The distance is the number of letters inserted, removed, replaced or swapped with their neighbour (optimal string
// alignment), case ignored. A word counts as near when at most a third of its letters differ, so that short words do not
// suggest each other. Work is bounded: words longer than MaxWord bytes are near nothing, and only the first MaxWords candidates
// are looked at.
package nearest

import (
	"strconv"
	"strings"
)

const (
	// MaxWord is the length in bytes from which a word has no nearest one.
	MaxWord = 64
	// MaxWords is how many candidates are compared.
	MaxWords = 1000
	// maxListed is how many candidates a hint lists when none of them is near.
	maxListed = 12
)

// Word returns the candidate nearest to word, the earlier one of two that are equally near. It reports false when none is near
// enough to be a likely meaning. An empty word is near nothing.
func Word(word string, candidates []string) (string, bool) {
	if word == "" || len(word) > MaxWord {
		return "", false
	}
	if len(candidates) > MaxWords {
		candidates = candidates[:MaxWords]
	}
	lower := strings.ToLower(word)
	best, found := "", false
	limit := tolerance(lower)
	for _, c := range candidates {
		if c == "" || len(c) > MaxWord || c == word {
			continue
		}
		d, ok := distance(lower, strings.ToLower(c), limit)
		if ok {
			best, found = c, true
			limit = d - 1
		}
		if limit < 0 {
			break
		}
	}
	return best, found
}

// Hint says what to write instead of word, ready to follow a semicolon: `did you mean "listen"?`, or, when nothing is near,
// `valid are "a", "b" and "c"`. With no candidates, or too many to list, it is empty.
func Hint(word string, candidates []string) string {
	if c, ok := Word(word, candidates); ok {
		return "did you mean " + strconv.Quote(c) + "?"
	}
	switch n := len(candidates); {
	case n == 0 || n > maxListed:
		return ""
	case n == 1:
		return "valid is " + strconv.Quote(candidates[0])
	default:
		quoted := make([]string, n)
		for i, c := range candidates {
			quoted[i] = strconv.Quote(c)
		}
		return "valid are " + strings.Join(quoted[:n-1], ", ") + " and " + quoted[n-1]
	}
}

// tolerance is the distance up to which a word of this length is near: a third of it, at least one letter.
func tolerance(word string) int {
	return min(max(1, len([]rune(word))/3), 4)
}

// distance returns the optimal string alignment distance of a and b, and false as soon as it is known to exceed limit.
func distance(a, b string, limit int) (int, bool) {
	x, y := []rune(a), []rune(b)
	if diff := len(x) - len(y); diff > limit || -diff > limit {
		return 0, false
	}
	before, above, row := make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range above {
		above[j] = j
	}
	for i := 1; i <= len(x); i++ {
		row[0] = i
		least := i
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			d := min(above[j]+1, row[j-1]+1, above[j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				d = min(d, before[j-2]+1)
			}
			row[j] = d
			least = min(least, d)
		}
		// A swap looks two rows back, so a row above the limit is final only one row later; a limit of one more keeps it exact.
		if least > limit+1 {
			return 0, false
		}
		before, above, row = above, row, before
	}
	d := above[len(y)]
	return d, d <= limit
}
