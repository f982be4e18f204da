//go:build !race

package sshside

const manyRequests = 1_000_000
