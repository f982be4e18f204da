package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/sallyport-dev/sallyport/host/conformance"
	"github.com/sallyport-dev/sallyport/host/guest"
)

const fixturesHelp = "a `DIR` of conversations (*.txt) and recordings (*.recording)"

// fixturesOf reads the fixtures of a flag; none when it is empty. What can be no fixture is said on the standard error.
func fixturesOf(cmd *cobra.Command, dir string) ([]*conformance.Fixture, error) {
	if dir == "" {
		return nil, nil
	}
	all, unfit, err := conformance.Fixtures(dir)
	if err == nil {
		for _, text := range unfit {
			fmt.Fprintf(cmd.ErrOrStderr(), "left out: %s\n", text)
		}
	}
	return all, err
}

func newPluginCheck() *cobra.Command {
	var fixtures string
	var asJSON bool
	var runs int
	c := &cobra.Command{
		Use:   "check FILE",
		Short: "Put a plugin through the admission test",
		Long: `First lists what the module imports, exports and declares, without running any of it. Then loads it as the gateway does, in the
sandbox, and has it live through the fixtures: each conversation must go as it says; two runs must give the same output; cut in two at
every byte, each fixture must lead to the same actions; a side that falls silent at any byte must lead to the end of the connection, and
never to an action about half a message; messages without an end and lengths that lie must be refused; and in all of this the plugin must
never pass what was not allowed, trap, or run out of fuel. Fuel is reported for each KiB that the plugin is shown.

Each check makes at most --runs connections for a fixture. With fewer than the fixture has bytes, the places to cut at are spread evenly,
and a fault at one of those between is not found: a quick look while one writes, not an admission. A recording of a connection whose
data the gateway scanned by itself can be no fixture: it is named ("skip") and left out, which does not change the exit status; a
folder with no other fixture is an error.

Without --fixtures only what suits any protocol is tried, which says little. What no test can show is that a plugin names its actions
truly: read it, and pin what you have read.

` + exitCodes,
		Example: `  sallyport plugin check redis.wasm --fixtures conversations
  sallyport plugin check --json redis.wasm --fixtures recordings | jq .fuel`,
		Args: oneArg("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return pluginCheck(cmd, args[0], fixtures, runs, asJSON)
		},
	}
	c.Flags().StringVar(&fixtures, "fixtures", "", fixturesHelp)
	c.Flags().IntVar(&runs, "runs", 2000, "each check makes at most `N` connections for a fixture")
	c.Flags().BoolVar(&asJSON, "json", false, "print a JSON object instead of lines")
	return c
}

func pluginCheck(cmd *cobra.Command, path, dir string, runs int, asJSON bool) error {
	if runs <= 0 {
		return usageError{fmt.Errorf("--runs %d: it is 1 or more", runs)}
	}
	var fixtures []*conformance.Fixture
	var unfit []string
	var err error
	if dir != "" {
		if fixtures, unfit, err = conformance.Fixtures(dir); err != nil {
			return err
		}
	}
	wasm, err := conformance.ReadModule(path)
	if err != nil {
		return err
	}
	report, err := conformance.Check(cmd.Context(), path, wasm, conformance.CheckOptions{
		Options: moduleOptions(), Fixtures: fixtures, Unfit: unfit, Runs: runs})
	if err != nil {
		return err
	}
	if asJSON {
		err = printJSON(cmd.OutOrStdout(), report)
	} else {
		report.Print(cmd.OutOrStdout())
	}
	if err == nil && !report.OK {
		err = status(exitFailure)
	}
	return err
}

// moduleOptions load modules that nobody has vouched for: they are compiled in a child process with limits, where that is possible.
func moduleOptions() conformance.Options {
	o := conformance.Options{CacheDir: userCache()}
	if c, err := guest.SelfCompiler(compileArgument); err == nil && o.CacheDir != "" {
		o.Compiler = c
	}
	return o
}

// loadModule loads a plugin's file.
func loadModule(cmd *cobra.Command, path string) (*conformance.Module, error) {
	wasm, err := conformance.ReadModule(path)
	if err != nil {
		return nil, err
	}
	return conformance.Load(cmd.Context(), pluginName(path), wasm, moduleOptions())
}

func newPluginBench() *cobra.Command {
	var fixtures string
	var asJSON bool
	var d time.Duration
	c := &cobra.Command{
		Use:   "bench FILE",
		Short: "Measure what a plugin takes",
		Long: `Has the plugin live through the fixtures again and again and measures, on one processor: making a guest, the time for a delivery
with all that follows from it, and how much it gets through. What the gate and the network take is not in it.

` + exitCodes,
		Example: `  sallyport plugin bench redis.wasm --fixtures conversations
  sallyport plugin bench --time 10s --json redis.wasm --fixtures recordings`,
		Args: oneArg("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			all, err := fixturesOf(cmd, fixtures)
			if err != nil {
				return err
			}
			m, err := loadModule(cmd, args[0])
			if err != nil {
				return err
			}
			defer m.Close()
			speeds, err := conformance.Bench(cmd.Context(), m, all, d)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), speeds)
			}
			conformance.PrintSpeeds(cmd.OutOrStdout(), speeds)
			return nil
		},
	}
	c.Flags().StringVar(&fixtures, "fixtures", "", fixturesHelp)
	c.Flags().DurationVar(&d, "time", 3*time.Second, "how long to measure, all fixtures together")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON instead of a table; times are in nanoseconds")
	return c
}

func newPluginFuzz() *cobra.Command {
	var fixtures, to string
	var seed uint64
	var d time.Duration
	var runs int
	c := &cobra.Command{
		Use:   "fuzz FILE",
		Short: "Look for input that makes a plugin break a law",
		Long: `Changes the fixtures and the decisions at random and looks for input with which the plugin passes what was not allowed, traps, runs
out of fuel, or says something else when the bytes are cut elsewhere. What is found is written as a conversation, which check plays.
The same seed does the same.

` + exitCodes,
		Example: `  sallyport plugin fuzz redis.wasm --fixtures conversations --time 1m
  sallyport plugin fuzz redis.wasm --fixtures conversations --seed 7 --runs 1000 --output conversations`,
		Args: oneArg("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			all, err := fixturesOf(cmd, fixtures)
			if err != nil {
				return err
			}
			m, err := loadModule(cmd, args[0])
			if err != nil {
				return err
			}
			defer m.Close()
			found, n, err := conformance.Fuzz(cmd.Context(), m, conformance.FuzzOptions{Fixtures: all, Time: d, Seed: seed, Runs: runs})
			if err != nil {
				return err
			}
			if found == nil {
				_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s: ok, inputs tried: %d\n", args[0], n)
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s: input %d: %s\n", args[0], n, found.What)
			path := filepath.Join(to, fmt.Sprintf("found-%d-%d.txt", seed, n))
			if err := os.WriteFile(path, []byte(found.Script.Format(found.What, found.Transcript, m.Manifest)), 0o666); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "written to %s\n", path)
			return status(exitFailure)
		},
	}
	c.Flags().StringVar(&fixtures, "fixtures", "", fixturesHelp)
	c.Flags().StringVar(&to, "output", ".", "the `DIR` for what is found")
	c.Flags().DurationVar(&d, "time", 10*time.Second, "how long to look; 0: until --runs")
	c.Flags().IntVar(&runs, "runs", 0, "at most so many inputs; 0: as many as there is time for")
	c.Flags().Uint64Var(&seed, "seed", 1, "where the random changes start")
	return c
}

func newPluginReplay() *cobra.Command {
	var asJSON, asConversation bool
	c := &cobra.Command{
		Use:   "replay FILE RECORDING",
		Short: "Give a plugin what was recorded, and show its actions",
		Long: `Gives the plugin exactly what a recorded guest was given (serve --record makes recordings) and prints what it asks about. The plugin
may be another version: the first answer that is not the recorded one is reported, and the exit status is 1. With --conversation the
recording is printed as a conversation, to be kept as a fixture.

` + exitCodes,
		Example: `  sallyport plugin replay redis.wasm recordings/t2x9-17.recording
  sallyport plugin replay --conversation redis.wasm recordings/t2x9-17.recording > conversations/bug-17.txt`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) < 2 {
				return missing(cmd, []string{"FILE", "RECORDING"}[len(args)])
			}
			return noArgs(cmd, args[2:])
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if asConversation {
				return asConversationFile(cmd, args[0], args[1])
			}
			return pluginReplay(cmd, args[0], args[1], asJSON)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print a JSON object with every call and command")
	c.Flags().BoolVar(&asConversation, "conversation", false, "print the recording as a conversation")
	return c
}

func pluginReplay(cmd *cobra.Command, file, path string, asJSON bool) error {
	rec, err := conformance.ReadRecording(path)
	if err != nil {
		return err
	}
	m, err := loadModule(cmd, file)
	if err != nil {
		return err
	}
	defer m.Close()
	r, err := conformance.Replay(cmd.Context(), m, rec)
	if err != nil {
		return err
	}
	if asJSON {
		err = printJSON(cmd.OutOrStdout(), r)
	} else {
		r.Print(cmd.OutOrStdout())
	}
	if err == nil && !r.Same {
		err = status(exitFailure)
	}
	return err
}

func asConversationFile(cmd *cobra.Command, file, path string) error {
	rec, err := conformance.ReadRecording(path)
	if err != nil {
		return err
	}
	m, err := loadModule(cmd, file)
	if err != nil {
		return err
	}
	defer m.Close()
	text, err := conformance.Conversation(cmd.Context(), m, filepath.Base(path), rec)
	if err != nil {
		return err
	}
	_, err = fmt.Fprint(cmd.OutOrStdout(), text)
	return err
}
