// Package testprocess runs programs for tests. They end with the test, however it ends.
package testprocess

import (
	"bytes"
	"net"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Hang is how long a condition may take before a test gives up; it says nothing about speed.
const Hang = 30 * time.Second

// Process is a running program.
type Process struct {
	// Log is all that it wrote.
	Log *Log
	// Ended is closed when it has ended; ExitCode is known then.
	Ended   chan struct{}
	command *exec.Cmd
}

// Start runs the program in this environment and no other.
func Start(t *testing.T, environment []string, path string, arguments ...string) *Process {
	t.Helper()
	p := &Process{Log: &Log{}, Ended: make(chan struct{}), command: exec.Command(path, arguments...)}
	p.command.Env = environment
	p.command.Stdout, p.command.Stderr = p.Log, p.Log
	p.command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	started := make(chan error)
	go func() {
		// The kernel watches the thread that started the child, so that thread has to stay.
		runtime.LockOSThread()
		defer close(p.Ended)
		err := p.command.Start()
		started <- err
		if err == nil {
			_ = p.command.Wait() // how it ended is in ProcessState
		}
	}()
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Stop)
	return p
}

// ExitCode is the code it ended with; -1 when it was killed.
func (p *Process) ExitCode() int { return p.command.ProcessState.ExitCode() }

// Stop ends it in order, or by force when it takes too long.
func (p *Process) Stop() {
	p.signal(syscall.SIGTERM)
	p.signal(syscall.SIGCONT) // it may be frozen
	select {
	case <-p.Ended:
	case <-time.After(Hang):
		p.Kill()
	}
}

// Kill ends it as a crash would.
func (p *Process) Kill() {
	p.signal(syscall.SIGKILL)
	<-p.Ended
}

// Freeze stops its clock: it stays, and does nothing.
func (p *Process) Freeze() { p.signal(syscall.SIGSTOP) }

// signal does nothing to a process that has ended.
func (p *Process) signal(signal syscall.Signal) { _ = p.command.Process.Signal(signal) }

// FreeAddress is one where nobody listens, for programs that cannot tell which port the kernel gave them.
func FreeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}

// Log can be written and read at the same time.
type Log struct {
	mutex  sync.Mutex
	buffer bytes.Buffer
}

// Write implements io.Writer.
func (l *Log) Write(data []byte) (int, error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.buffer.Write(data)
}

// String is all that was written so far.
func (l *Log) String() string {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.buffer.String()
}
