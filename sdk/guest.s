//go:build wasip1

// This file lets guest.go declare a function without a body.
