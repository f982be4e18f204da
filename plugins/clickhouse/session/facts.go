package session

import "github.com/sallyport-dev/sallyport/plugins/clickhouse/sql"

// Facts is what a text does.
type Facts = sql.Facts
