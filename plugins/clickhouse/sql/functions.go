package sql

import (
	"strings"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// callee is what is known of a function or table function.
type callee struct {
	name  string // in lower case
	class Class
	// names: its first argument names a table or dictionary; unnamed: it reads tables that its arguments do not name plainly.
	names, unnamed bool
	input          bool // it stands for the rows that follow an INSERT
	ordinary       bool // there is an ordinary function of the name, too
	local          int  // with more arguments than that it asks another server, 0: it never does
	columns        bool // its first argument describes columns, in which expressions can stand
	nested         bool // its argument can be another table function
	higher         bool // its first argument can be the name of a function
	apart          bool // its argument is a query that does not know what WITH defines around it
}

const (
	reads    = abi.ClassRead
	executes = abi.ClassExecute
)

// knownFunctions are the ordinary functions that do more than compute. Others are named in the facts, and that is all.
var knownFunctions = [...]callee{
	{name: "file", class: executes},
	{name: "catboostevaluate", class: executes},
	{name: "modelevaluate", class: executes},
	{name: "naivebayesclassifier", class: executes},
	{name: "addresstoline", class: executes},
	{name: "addresstolinewithinlines", class: executes},
	{name: "addresstosymbol", class: executes},
	{name: "joinget", class: reads, names: true},
	{name: "joingetornull", class: reads, names: true},
	{name: "hascolumnintable", class: reads, unnamed: true, local: 3}, // a host, a user and a password can stand before the three
	{name: "reversednsquery", class: executes},
	{name: "generateserialid", class: abi.ClassWrite},

	// arrayMap(upper, a) is arrayMap(x -> upper(x), a) in new servers.
	{name: "arraymap", class: reads, higher: true}, {name: "arrayfilter", class: reads, higher: true}, {name: "arraycount", class: reads, higher: true}, {name: "arrayexists", class: reads, higher: true},
	{name: "arrayall", class: reads, higher: true}, {name: "arraysum", class: reads, higher: true}, {name: "arrayavg", class: reads, higher: true}, {name: "arraymin", class: reads, higher: true},
	{name: "arraymax", class: reads, higher: true}, {name: "arrayproduct", class: reads, higher: true}, {name: "arraycumsum", class: reads, higher: true}, {name: "arraycumsumnonnegative", class: reads, higher: true},
	{name: "arrayfirst", class: reads, higher: true}, {name: "arrayfirstornull", class: reads, higher: true}, {name: "arrayfirstindex", class: reads, higher: true}, {name: "arraylast", class: reads, higher: true},
	{name: "arraylastornull", class: reads, higher: true}, {name: "arraylastindex", class: reads, higher: true}, {name: "arraysort", class: reads, higher: true}, {name: "arrayreversesort", class: reads, higher: true},
	{name: "arraypartialsort", class: reads, higher: true}, {name: "arraypartialreversesort", class: reads, higher: true}, {name: "arraytopk", class: reads, higher: true}, {name: "arraybottomk", class: reads, higher: true},
	{name: "arrayfill", class: reads, higher: true}, {name: "arrayreversefill", class: reads, higher: true}, {name: "arraysplit", class: reads, higher: true}, {name: "arrayreversesplit", class: reads, higher: true},
	{name: "arrayfold", class: reads, higher: true}, {name: "arraycompact", class: reads, higher: true}, {name: "arraydifference", class: reads, higher: true}, {name: "mapapply", class: reads, higher: true},
	{name: "mapfilter", class: reads, higher: true}, {name: "mapexists", class: reads, higher: true}, {name: "mapall", class: reads, higher: true}, {name: "mapsort", class: reads, higher: true},
	{name: "mapreversesort", class: reads, higher: true}, {name: "mappartialsort", class: reads, higher: true}, {name: "mappartialreversesort", class: reads, higher: true},

	// IN, written as a function: a name in it is a table, a call can be a table function.
	{name: "in", class: abi.ClassOpaque, unnamed: true}, {name: "notin", class: abi.ClassOpaque, unnamed: true}, {name: "globalin", class: abi.ClassOpaque, unnamed: true}, {name: "globalnotin", class: abi.ClassOpaque, unnamed: true},
	{name: "nullin", class: abi.ClassOpaque, unnamed: true}, {name: "notnullin", class: abi.ClassOpaque, unnamed: true}, {name: "globalnullin", class: abi.ClassOpaque, unnamed: true}, {name: "globalnotnullin", class: abi.ClassOpaque, unnamed: true},
	{name: "inignoreset", class: abi.ClassOpaque, unnamed: true}, {name: "notinignoreset", class: abi.ClassOpaque, unnamed: true}, {name: "globalinignoreset", class: abi.ClassOpaque, unnamed: true}, {name: "globalnotinignoreset", class: abi.ClassOpaque, unnamed: true},
	{name: "nullinignoreset", class: abi.ClassOpaque, unnamed: true}, {name: "notnullinignoreset", class: abi.ClassOpaque, unnamed: true}, {name: "globalnullinignoreset", class: abi.ClassOpaque, unnamed: true}, {name: "globalnotnullinignoreset", class: abi.ClassOpaque, unnamed: true},
}

// knownTableFunctions are all the table functions that are known. Any other is refused as unreadable.
var knownTableFunctions = [...]callee{
	{name: "numbers", class: reads}, {name: "numbers_mt", class: reads}, {name: "zeros", class: reads}, {name: "zeros_mt", class: reads}, {name: "primes", class: reads},
	{name: "generateseries", class: reads}, {name: "generate_series", class: reads}, {name: "generaterandom", class: reads, columns: true}, {name: "null", class: reads, columns: true}, {name: "values", class: reads, ordinary: true, columns: true},
	{name: "sqlstandardvalues", class: reads}, {name: "format", class: reads, ordinary: true}, {name: "view", class: reads, apart: true}, {name: "viewifpermitted", class: reads, apart: true}, {name: "viewexplain", class: reads, apart: true},
	{name: "fuzzjson", class: reads}, {name: "fuzzquery", class: reads, ordinary: true},
	{name: "merge", class: reads, unnamed: true}, {name: "loop", class: reads, unnamed: true, nested: true}, {name: "dictionary", class: reads, names: true},
	{name: "mergetreeindex", class: reads, unnamed: true}, {name: "mergetreeprojection", class: reads, unnamed: true}, {name: "mergetreeanalyzeindexes", class: reads, unnamed: true},
	{name: "mergetreetextindex", class: reads, unnamed: true}, {name: "mergetreeanalyzeindexesuuid", class: reads, unnamed: true},
	{name: "timeseriesdata", class: reads, unnamed: true}, {name: "timeseriestags", class: reads, unnamed: true}, {name: "timeseriesmetrics", class: reads, unnamed: true},
	{name: "timeseriesselector", class: reads, unnamed: true}, {name: "timeseriessamples", class: reads, unnamed: true}, {name: "prometheusquery", class: reads, unnamed: true}, {name: "prometheusqueryrange", class: reads, unnamed: true},
	{name: "input", class: reads, input: true, columns: true},

	{name: "url", class: executes, unnamed: true}, {name: "urlcluster", class: executes, unnamed: true}, {name: "file", class: executes, unnamed: true}, {name: "filecluster", class: executes, unnamed: true},
	{name: "filesystem", class: executes, unnamed: true},
	{name: "s3", class: executes, unnamed: true}, {name: "s3cluster", class: executes, unnamed: true}, {name: "gcs", class: executes, unnamed: true}, {name: "gcscluster", class: executes, unnamed: true},
	{name: "cosn", class: executes, unnamed: true}, {name: "oss", class: executes, unnamed: true}, {name: "obs", class: executes, unnamed: true},
	{name: "azureblobstorage", class: executes, unnamed: true}, {name: "azureblobstoragecluster", class: executes, unnamed: true}, {name: "hdfs", class: executes, unnamed: true}, {name: "hdfscluster", class: executes, unnamed: true},
	{name: "remote", class: executes, unnamed: true}, {name: "remotesecure", class: executes, unnamed: true}, {name: "cluster", class: executes, unnamed: true}, {name: "clusterallreplicas", class: executes, unnamed: true},
	{name: "mysql", class: executes, unnamed: true}, {name: "postgresql", class: executes, unnamed: true}, {name: "mongodb", class: executes, unnamed: true}, {name: "redis", class: executes, unnamed: true},
	{name: "sqlite", class: executes, unnamed: true}, {name: "jdbc", class: executes, unnamed: true}, {name: "odbc", class: executes, unnamed: true}, {name: "arrowflight", class: executes, unnamed: true},
	{name: "iceberg", class: executes, unnamed: true}, {name: "icebergs3", class: executes, unnamed: true}, {name: "icebergazure", class: executes, unnamed: true}, {name: "iceberghdfs", class: executes, unnamed: true},
	{name: "iceberglocal", class: executes, unnamed: true}, {name: "icebergcluster", class: executes, unnamed: true}, {name: "icebergs3cluster", class: executes, unnamed: true},
	{name: "icebergazurecluster", class: executes, unnamed: true}, {name: "iceberghdfscluster", class: executes, unnamed: true},
	{name: "deltalake", class: executes, unnamed: true}, {name: "deltalakes3", class: executes, unnamed: true}, {name: "deltalakeazure", class: executes, unnamed: true}, {name: "deltalakelocal", class: executes, unnamed: true},
	{name: "deltalakecluster", class: executes, unnamed: true}, {name: "deltalakes3cluster", class: executes, unnamed: true}, {name: "deltalakeazurecluster", class: executes, unnamed: true},
	{name: "hudi", class: executes, unnamed: true}, {name: "hudicluster", class: executes, unnamed: true}, {name: "paimon", class: executes, unnamed: true}, {name: "paimons3", class: executes, unnamed: true},
	{name: "paimonazure", class: executes, unnamed: true}, {name: "paimonlocal", class: executes, unnamed: true}, {name: "paimonhdfs", class: executes, unnamed: true}, {name: "ytsaurus", class: executes, unnamed: true},
	{name: "executable", class: executes, unnamed: true}, {name: "hive", class: executes, unnamed: true}, {name: "meilisearch", class: executes, unnamed: true}, {name: "python", class: executes, unnamed: true},
	{name: "arrowstream", class: executes, unnamed: true}, {name: "iceberglocalcluster", class: executes, unnamed: true}, {name: "paimoncluster", class: executes, unnamed: true},
	{name: "paimons3cluster", class: executes, unnamed: true}, {name: "paimonazurecluster", class: executes, unnamed: true}, {name: "paimonhdfscluster", class: executes, unnamed: true},
}

const calleeSlots = 1 << 9

// calleeTable finds a callee by the hash of its name.
type calleeTable [calleeSlots]*callee

func tableOf(all []callee) (t calleeTable) {
	for i := range all {
		h := hashLower([]byte(all[i].name)) % calleeSlots
		for t[h] != nil {
			h = (h + 1) % calleeSlots
		}
		t[h] = &all[i]
	}
	return t
}

func (t *calleeTable) find(name string) *callee {
	h := uint32(2166136261)
	for i := range len(name) {
		h = (h ^ uint32(name[i]|0x20)) * 16777619
	}
	for h = (h ^ h>>15) % calleeSlots; t[h] != nil; h = (h + 1) % calleeSlots {
		if equalFold(name, t[h].name) {
			return t[h]
		}
	}
	return nil
}

var (
	functionTable      = tableOf(knownFunctions[:])
	tableFunctionTable = tableOf(knownTableFunctions[:])

	dictionaryFunction = callee{name: "dictget", class: reads, names: true}
)

// functionNamed is what is known of an ordinary function, nil if that is nothing.
func functionNamed(name string) *callee {
	if len(name) > 4 && equalFold(name[:4], "dict") {
		return &dictionaryFunction // dictGet, dictHas, dictIsIn …, of all types
	}
	return functionTable.find(name)
}

// tableFunctionNamed is what is known of a table function, nil if it is not known.
func tableFunctionNamed(name string) *callee { return tableFunctionTable.find(name) }

// setFunction reports whether a call behind IN is known not to be a table function, or to be a known one.
func (r *Reader) setFunction(name string) bool {
	if tableFunctionNamed(name) != nil || functionNamed(name) != nil {
		return true
	}
	low := r.arena.lower(name)
	for _, begin := range [...]string{"to", "array", "split", "tuple", "json", "map", "range", "cast", "extract", "if", "bitmap", "materialize", "assumenotnull", "concat", "now", "today", "yesterday",
		"date", "group", "any", "min", "max", "sum", "upper", "lower", "reverse", "unhex", "hex", "substring", "parse", "ipv", "nullif", "coalesce", "identity", "ignore", "length", "plus", "minus", "multiply", "empty"} {
		if strings.HasPrefix(low, begin) {
			return true
		}
	}
	return false
}

// harmlessEngine reports whether a table of an engine stays on the server.
func harmlessEngine(name string) bool {
	if strings.HasSuffix(name, "MergeTree") {
		return true
	}
	switch name {
	case "Log", "TinyLog", "StripeLog", "Memory", "Null", "Set", "Join", "Buffer", "Merge", "GenerateRandom", "View", "MaterializedView", "Dictionary", "KeeperMap", "EmbeddedRocksDB", "TimeSeries",
		"Alias", "Loop", "FuzzJSON", "FuzzQuery", "Atomic", "Ordinary", "Lazy", "Replicated", "WindowView", "LiveView":
		return true
	}
	return false
}
