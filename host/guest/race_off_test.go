//go:build !race

package guest

const underRace = false
