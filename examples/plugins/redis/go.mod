module example.org/sallyport-redis

go 1.26.3

require github.com/sallyport-dev/sallyport v0.0.0

require (
	github.com/tetratelabs/wazero v1.12.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
)

replace github.com/sallyport-dev/sallyport => ../../..
