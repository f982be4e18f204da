//go:build !race

package notifier

const raced = false
