package main

// Differences that are understood, each with its reason. The lists are short on purpose: an entry here is a promise that somebody
// has looked.
var (
	pgxKnown = map[string]string{
		". TestPrepareHandlesTimeoutBetweenParseAndDescribe":                   parseWaits,
		". TestPrepareWithDigestedNameHandlesTimeoutBetweenParseAndDescribe":   parseWaits,
		". TestSendBatchHandlesTimeoutBetweenParseAndDescribe":                 parseWaits,
		". TestSendBatchHandlesTimeoutBetweenParseAndDescribe/cache_statement": parseWaits,
		". TestSendBatchHandlesTimeoutBetweenParseAndDescribe/cache_describe":  parseWaits,
		". TestSendBatchHandlesTimeoutBetweenParseAndDescribe/describe_exec":   parseWaits,
		". TestSendBatchHandlesTimeoutBetweenParseAndDescribe/exec":            parseWaits,
	}
	pqKnown = map[string]string{
		". TestOpen": "one of its cases, see there",
		". TestOpen/host=doesnotexist_hostaddr=127.0.0.1": "wants a server at 127.0.0.1, where the agent's own loopback is",
	}
	regressKnown = map[string]string{}
)

const parseWaits = "a Parse is decided together with what follows it, so the server's statement_timeout begins with the Describe"
