// chart-tools does what the chart needs beside the services: secrets and certificates, waiting for servers,
// and the test after an installation. One static program, because its image has no shell.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// Exit codes, as the services have them.
const (
	exitFailed = 1
	exitUsage  = 64
)

// errUsage marks what another attempt cannot mend: wrong options, a configuration that cannot be used.
var errUsage = errors.New("cannot be used")

const help = `chart-tools prepare SPEC.json              make the secrets and certificates that are missing or due
chart-tools wait postgres|kafka [--for 5m] wait until the server that POSTGRES_DSN or KAFKA_BROKERS names answers
chart-tools test [--for 1m]                sign in, and pass a message through the chat
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	err := run(ctx, os.Args[1:])
	stop()
	if err == nil {
		return
	}
	fmt.Fprintln(os.Stderr, "error:", err)
	if errors.Is(err, errUsage) {
		os.Exit(exitUsage)
	}
	os.Exit(exitFailed)
}

func run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("no command: %w\n%s", errUsage, help)
	}
	switch args[0] {
	case "prepare":
		return prepareCommand(ctx, args[1:])
	case "wait":
		return waitCommand(ctx, args[1:])
	case "test":
		return testCommand(ctx, args[1:])
	case "help", "--help":
		fmt.Print(help)
		return nil
	default:
		return fmt.Errorf("command %q: %w\n%s", args[0], errUsage, help)
	}
}

// say writes a line for whoever reads the job's log.
func say(format string, values ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", values...)
}
