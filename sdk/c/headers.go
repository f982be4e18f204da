//go:build !wasip1

// Package c holds what the author of a plugin in C includes: sallyport.h, and sallyport_impl.h behind it.
package c

import "embed"

// Headers are the header files.
//
//go:embed *.h
var Headers embed.FS
