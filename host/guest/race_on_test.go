//go:build race

package guest

// underRace says that the race detector is in this binary: then it may be the one that runs out of memory first, in its own words.
const underRace = true
