// quamina RULES EVENTS SECONDS: patterns and events, one to a line; prints one line of JSON.
package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"

	quamina "quamina.net/go/quamina/v2"
)

func main() {
	rules := lines(os.Args[1])
	events := lines(os.Args[2])
	seconds, err := strconv.ParseFloat(os.Args[3], 64)
	check(err)
	matcher, err := quamina.New()
	check(err)
	for at, rule := range rules {
		check(matcher.AddPattern(at, string(rule)))
	}
	matches := 0
	first := events[:min(len(events), 2000)]
	for _, event := range first {
		found, err := matcher.MatchesForEvent(event)
		check(err)
		matches += len(found)
	}
	measured := time.Duration(seconds * float64(time.Second))
	run(matcher, events, measured/2) // warm-up
	from := cpu()
	done := run(matcher, events, measured)
	used := cpu() - from
	fmt.Printf("{\"rate\":%f,\"matchesPerEvent\":%f}\n", float64(done)/used, float64(matches)/float64(len(first)))
}

func run(matcher *quamina.Quamina, events [][]byte, measured time.Duration) int {
	until := time.Now().Add(measured)
	done := 0
	for time.Now().Before(until) {
		for n := 0; n < 10; n++ {
			_, err := matcher.MatchesForEvent(events[done%len(events)])
			check(err)
			done++
		}
	}
	return done
}

func cpu() float64 {
	var usage syscall.Rusage
	check(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	micros := (usage.Utime.Sec+usage.Stime.Sec)*1e6 + int64(usage.Utime.Usec+usage.Stime.Usec)
	return float64(micros) / 1e6
}

func lines(path string) [][]byte {
	text, err := os.ReadFile(path)
	check(err)
	return bytes.Split(bytes.TrimSpace(text), []byte("\n"))
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
