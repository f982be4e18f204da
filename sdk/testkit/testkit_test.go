package testkit_test

import (
	"testing"

	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/testdata/lanes"
	"github.com/sallyport-dev/sallyport/sdk/testdata/lines"
	"github.com/sallyport-dev/sallyport/sdk/testkit"
)

func suite() testkit.Suite {
	return testkit.Suite{New: func() sdk.Plugin { return &lines.Plugin{} }, Build: "../testdata/linesplugin", Conversations: "testdata/*.txt"}
}

func TestConversations(t *testing.T) { testkit.Run(t, suite()) }

func TestLanes(t *testing.T) {
	testkit.Run(t, testkit.Suite{New: func() sdk.Plugin { return &lanes.Plugin{} }, Build: "../testdata/lanesplugin", Conversations: "testdata/lanes/*.txt"})
}
