# make          builds build/sallyport with its plugins
# make test     installs what the tests need and runs everything
# make examples builds the plugins in examples/plugins, which are projects of their own
# make lint     gofmt, go vet, staticcheck
# make demo     builds, and shows a real psql through the gate
# make bench    measures guests, and the gateway against an uninspected relay
# make suites   PostgreSQL's own tests and those of pgx and lib/pq, directly and through the gateway; writes build/suites.md
# make fuzz     every fuzz target for FUZZTIME (default 1m) each
# make clean    removes what was built

GO       ?= go
FUZZTIME ?= 1m
VERSION  := $(shell git describe --always --dirty 2>/dev/null || echo unknown)

PGQUERY_SOURCES := $(shell find plugins/postgres/pgquery -type f -not -name '*_test.go') go.mod
EXAMPLES        := build/examples/redis.wasm build/examples/memcached.wasm build/examples/beanstalkd.wasm build/examples/judge-secrets.wasm build/examples/judge-http.wasm build/examples/notify-mattermost.wasm
ZSTD_SOURCES    := plugins/clickhouse/zstd/build $(wildcard plugins/clickhouse/zstd/c/*.[ch]) go.mod
CLICKHOUSE_SOURCES := $(shell find sdk plugins/clickhouse plugins/http -name '*.go' -not -name '*_test.go') go.mod
SSH_SOURCES     := $(shell find sdk plugins/ssh -name '*.go' -not -name '*_test.go') go.mod
K8S_SOURCES     := $(shell find sdk plugins/http plugins/kubernetes -name '*.go' -not -name '*_test.go') go.mod
HTTP_SOURCES    := $(shell find sdk plugins/http -name '*.go' -not -name '*_test.go') go.mod
GUEST_SOURCES   := $(shell find sdk plugins/postgres -name '*.go' -not -name '*_test.go') go.mod

.PHONY: all build plugins examples test-examples lint test demo bench suites fuzz clean deps deps-test test-clickhouse-oracle test-search-guests test-kubernetes

all: build

build: plugins
	$(GO) build -trimpath -ldflags '-X main.version=$(VERSION)' -o build/sallyport ./host/sallyport

plugins: plugins/built/postgres.wasm plugins/built/http.wasm plugins/built/clickhouse.wasm plugins/built/ssh.wasm plugins/built/kubernetes.wasm

# The C companion needs a compiler for WebAssembly; the script installs it on Debian and says what is missing elsewhere.
build/pgquery.wasm: $(PGQUERY_SOURCES)
	scripts/deps build
	plugins/postgres/pgquery/build $@

build/postgres.guest.wasm: $(GUEST_SOURCES)
	@mkdir -p build
	GOOS=wasip1 GOARCH=wasm CGO_ENABLED=0 $(GO) build -trimpath -buildmode=c-shared -ldflags '-s -w' -o $@ ./plugins/postgres

plugins/built/postgres.wasm: build/postgres.guest.wasm build/pgquery.wasm
	$(GO) run ./sdk/cmd/pack -o $@ build/postgres.guest.wasm pgquery=build/pgquery.wasm

build/http.guest.wasm: $(HTTP_SOURCES)
	@mkdir -p build
	GOOS=wasip1 GOARCH=wasm CGO_ENABLED=0 $(GO) build -trimpath -buildmode=c-shared -ldflags '-s -w' -o $@ ./plugins/http

build/decode.wasm: $(HTTP_SOURCES)
	@mkdir -p build
	GOOS=wasip1 GOARCH=wasm CGO_ENABLED=0 $(GO) build -trimpath -buildmode=c-shared -ldflags '-s -w' -o $@ ./plugins/http/decode/companion

plugins/built/http.wasm: build/http.guest.wasm build/decode.wasm
	$(GO) run ./sdk/cmd/pack -o $@ build/http.guest.wasm decode=build/decode.wasm

build/clickhouse.guest.wasm: $(CLICKHOUSE_SOURCES)
	@mkdir -p build
	GOOS=wasip1 GOARCH=wasm CGO_ENABLED=0 $(GO) build -trimpath -buildmode=c-shared -ldflags '-s -w' -o $@ ./plugins/clickhouse

build/zstd.wasm: $(ZSTD_SOURCES)
	scripts/deps build
	plugins/clickhouse/zstd/build $@

plugins/built/clickhouse.wasm: build/clickhouse.guest.wasm build/decode.wasm build/zstd.wasm
	$(GO) run ./sdk/cmd/pack -o $@ build/clickhouse.guest.wasm decode=build/decode.wasm zstd=build/zstd.wasm

build/kubernetes.guest.wasm: $(K8S_SOURCES)
	@mkdir -p build
	GOOS=wasip1 GOARCH=wasm CGO_ENABLED=0 $(GO) build -trimpath -buildmode=c-shared -ldflags '-s -w' -o $@ ./plugins/kubernetes

build/yaml.wasm: $(K8S_SOURCES)
	@mkdir -p build
	GOOS=wasip1 GOARCH=wasm CGO_ENABLED=0 $(GO) build -trimpath -buildmode=c-shared -ldflags '-s -w' -o $@ ./plugins/kubernetes/yaml/companion

plugins/built/kubernetes.wasm: build/kubernetes.guest.wasm build/decode.wasm build/yaml.wasm
	$(GO) run ./sdk/cmd/pack -o $@ build/kubernetes.guest.wasm decode=build/decode.wasm yaml=build/yaml.wasm

build/ssh.guest.wasm: $(SSH_SOURCES)
	@mkdir -p build
	GOOS=wasip1 GOARCH=wasm CGO_ENABLED=0 $(GO) build -trimpath -buildmode=c-shared -ldflags '-s -w' -o $@ ./plugins/ssh

build/shell.wasm: $(SSH_SOURCES)
	@mkdir -p build
	GOOS=wasip1 GOARCH=wasm CGO_ENABLED=0 $(GO) build -trimpath -buildmode=c-shared -ldflags '-s -w' -o $@ ./plugins/ssh/shell/companion

plugins/built/ssh.wasm: build/ssh.guest.wasm build/shell.wasm
	$(GO) run ./sdk/cmd/pack -o $@ build/ssh.guest.wasm shell=build/shell.wasm

# The example plugins are built as their authors would: each in its own folder, by its own means.
examples: $(EXAMPLES)

build/examples/redis.wasm: $(shell find examples/plugins/redis sdk -name '*.go' -not -name '*_test.go') examples/plugins/redis/go.mod
	@mkdir -p build/examples
	cd examples/plugins/redis && GOOS=wasip1 GOARCH=wasm CGO_ENABLED=0 $(GO) build -trimpath -buildmode=c-shared -ldflags '-s -w' -o $(CURDIR)/$@ .

build/examples/memcached.wasm: $(wildcard examples/plugins/memcached/*.[ch] sdk/c/*.h) examples/plugins/memcached/build
	scripts/deps build
	examples/plugins/memcached/build $@

build/examples/beanstalkd.wasm: $(wildcard examples/plugins/beanstalkd/*.json examples/plugins/beanstalkd/assembly/*.ts) examples/plugins/beanstalkd/build
	scripts/deps test
	examples/plugins/beanstalkd/build $@

build/examples/judge-secrets.wasm: $(wildcard examples/judge-secrets/*.json examples/judge-secrets/assembly/*.ts) examples/judge-secrets/build
	scripts/deps test
	examples/judge-secrets/build $@

build/examples/judge-http.wasm: $(wildcard examples/judge-http/*.go) examples/judge-http/go.mod
	@mkdir -p build/examples
	cd examples/judge-http && GOOS=wasip1 GOARCH=wasm CGO_ENABLED=0 $(GO) build -trimpath -buildmode=c-shared -ldflags '-s -w' -o $(CURDIR)/$@ .

build/examples/notify-mattermost.wasm: $(wildcard examples/notify-mattermost/*.go) examples/notify-mattermost/go.mod
	@mkdir -p build/examples
	cd examples/notify-mattermost && GOOS=wasip1 GOARCH=wasm CGO_ENABLED=0 $(GO) build -trimpath -buildmode=c-shared -ldflags '-s -w' -o $(CURDIR)/$@ .

test-examples: deps-test examples
	cd examples/plugins/redis && $(GO) vet . && $(GO) test -count=1 .

lint: plugins
	@bad=$$(gofmt -l $$(git ls-files -co --exclude-standard '*.go')); if [ -n "$$bad" ]; then echo "not gofmt'ed:"; echo "$$bad"; exit 1; fi
	$(GO) vet ./...
	$(GO) tool staticcheck ./...

# -count=1: what the tests of the whole command depend on is more than the go command knows of, so it must not answer from its cache.
test: deps-test lint build examples test-examples
	$(GO) test -count=1 -run '^TestPacks(HTTP|SSH|Kubernetes)?$$' ./host/gateway # has the shipped plugins compiled in seconds, which under the race detector takes minutes
	$(GO) test -count=1 -run '^TestDenseBodies$$' ./plugins/kubernetes # likewise
	$(GO) test -count=1 -run '^(TestCheck|TestPlugin)$$' ./host/sallyport # likewise, in the cache of the command as it is released
	$(GO) test -count=1 ./host/approve/notifier # compiles programs, which under the race detector takes minutes; there it skips
	$(GO) test -race -p 2 -count=1 -timeout 25m ./...

deps-test:
	scripts/deps test

demo: build
	scripts/deps test
	examples/demo/run

bench: build
	scripts/deps test
	$(GO) test -run '^$$' -bench 'Clone|NewClose|Resident|Reset|Call|Data' ./host/guest
	$(GO) run ./test/bench

# The grammar of plugins/clickhouse/sql against a current ClickHouse, which the npm package chdb brings (about 600 MB, into build/chdb). A few minutes.
test-clickhouse-oracle:
	test -d build/chdb/node_modules/chdb || npm install --prefix build/chdb --no-audit --no-fund chdb@3.4.0
	SALLYPORT_CHDB=$(CURDIR)/build/chdb/node_modules $(GO) test -count=1 -run Oracle -v ./plugins/clickhouse/sql

# kubectl and helm before a real API server with etcd. Those that KUBE_APISERVER, ETCD, KUBECTL and HELM do not name are built, which takes a quarter of an hour the first time.
test-kubernetes: deps-test build
	test/kubernetes/tools/build build/kubernetes
	PATH="$(CURDIR)/build/kubernetes:$$PATH" SALLYPORT_TEST_KUBERNETES=1 $(GO) test -count=1 -timeout 20m -v ./test/kubernetes/cluster

# The tests of whole programs once more, with the memory of every guest searched for secrets after every call.
test-search-guests: deps-test build examples
	SALLYPORT_TEST_SEARCH_GUESTS=1 $(GO) test -count=1 -p 1 ./test/e2e ./test/web ./test/sshe2e ./test/clickhouse

suites: build
	scripts/deps test
	$(GO) run ./test/suites -report build/suites.md

# A fuzz target with a fixed number of workers and a bounded minimizer, so that one that finds something ends soon.
fuzz: plugins
	@for pkg in $$($(GO) list ./...); do \
	  for target in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
	    echo "$$pkg $$target"; \
	    $(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 5s -parallel 2 $$pkg || exit 1; \
	  done; \
	done

clean:
	rm -rf build plugins/built/*.wasm
