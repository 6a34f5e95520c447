package testaccounts

import (
	"io"
	"net"
	"sync"
	"testing"
)

// Relay passes connections on to a server until it is cut, as if that server had stopped.
type Relay struct {
	Address string
	target  string
	t       *testing.T

	mutex    sync.Mutex
	listener net.Listener
	open     []net.Conn
}

// NewRelay passes connections on to the address.
func NewRelay(t *testing.T, target string) *Relay {
	t.Helper()
	r := &Relay{Address: "127.0.0.1:0", target: target, t: t}
	r.Mend()
	t.Cleanup(r.Cut)
	return r
}

// Mend takes connections, at the same address as before.
func (r *Relay) Mend() {
	r.t.Helper()
	listener, err := net.Listen("tcp", r.Address)
	if err != nil {
		r.t.Fatal(err)
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.listener, r.Address = listener, listener.Addr().String()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return // cut
			}
			r.pass(listener, conn)
		}
	}()
}

// Cut ends all connections and refuses new ones.
func (r *Relay) Cut() {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.listener != nil {
		_ = r.listener.Close()
	}
	for _, conn := range r.open {
		_ = conn.Close()
	}
	r.listener, r.open = nil, nil
}

func (r *Relay) pass(from net.Listener, near net.Conn) {
	far, err := net.Dial("tcp", r.target)
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if err != nil || r.listener != from { // it was cut meanwhile
		_ = near.Close()
		if err == nil {
			_ = far.Close()
		}
		return
	}
	r.open = append(r.open, near, far)
	for _, way := range [][2]net.Conn{{near, far}, {far, near}} {
		go func() {
			// However one end goes, the other goes with it.
			_, _ = io.Copy(way[0], way[1])
			_ = way[0].Close()
			_ = way[1].Close()
		}()
	}
}
