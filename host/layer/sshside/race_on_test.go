//go:build race

package sshside

// manyRequests is how many small requests are sent: a million takes minutes on a slow machine that looks for races.
const manyRequests = 100_000
