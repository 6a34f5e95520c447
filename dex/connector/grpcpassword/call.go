package grpcpassword

import (
	"fmt"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// call is one RPC, as far as its failure is told to Dex, which logs it.
type call struct {
	connectorID, rpc string
	header, trailer  metadata.MD
}

func newCall(connectorID, rpc string) *call {
	return &call{connectorID: connectorID, rpc: rpc}
}

func (c *call) options() []grpc.CallOption {
	return []grpc.CallOption{grpc.Header(&c.header), grpc.Trailer(&c.trailer)}
}

// failed turns the error of the RPC into one that is safe to log. A text from the service is
// dropped, since it may repeat what was typed; one made in this process (refused connection,
// certificate not accepted) never saw the request and is what an operator needs.
func (c *call) failed(err error) error {
	s := status.Convert(err)
	// Whatever a server sends comes with metadata, at the least a content type.
	if c.header.Len()+c.trailer.Len() > 0 {
		return &callError{call: c, code: s.Code(), detail: "the service answered " + s.Code().String()}
	}
	return &callError{call: c, code: s.Code(), detail: fmt.Sprintf("no answer, %s: %s", s.Code(), s.Message())}
}

// broken is an answer that the contract does not allow.
func (c *call) broken(what string) error {
	return &callError{call: c, code: codes.Internal, detail: "the service answered with " + what}
}

// callError deliberately wraps no other error: its text is all that can be logged of it.
type callError struct {
	call   *call
	code   codes.Code
	detail string
}

func (e *callError) Error() string {
	return fmt.Sprintf("connector %q: %s: %s", e.call.connectorID, e.call.rpc, e.detail)
}

// GRPCStatus makes status.Code work on it.
func (e *callError) GRPCStatus() *status.Status { return status.New(e.code, e.Error()) }
