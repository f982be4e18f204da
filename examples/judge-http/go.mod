module example.com/judge-http

go 1.26
