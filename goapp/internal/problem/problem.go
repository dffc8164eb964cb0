// Package problem holds the one error type that crosses from the domain to HTTP.
package problem

import (
	"errors"
	"fmt"
)

// Code classifies a failure for clients; the HTTP layer maps each to one status.
type Code string

// The codes a client can meet.
const (
	Invalid          Code = "invalid"
	NotFound         Code = "not_found"
	MethodNotAllowed Code = "method_not_allowed"
	TooLarge         Code = "too_large"
	Full             Code = "full"
	Unavailable      Code = "unavailable"
	DownstreamFailed Code = "downstream_failed"
	DownstreamSlow   Code = "downstream_slow"
	ClientGone       Code = "client_gone"
	Fault            Code = "fault"
	Internal         Code = "internal"
)

// Error is a failure with a message for the client and a detail for the log.
type Error struct {
	Code    Code
	Message string // sent
	Detail  error  // logged, never sent; may be nil
}

// New makes an Error whose message is safe to send.
func New(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Because attaches the detail that only the log gets.
func (e *Error) Because(detail error) *Error {
	return &Error{Code: e.Code, Message: e.Message, Detail: detail}
}

func (e *Error) Error() string {
	if e.Detail == nil {
		return e.Message
	}
	return e.Message + ": " + e.Detail.Error()
}

func (e *Error) Unwrap() error { return e.Detail }

// From finds the Error in err's chain. Any other error becomes an internal one: its text may hold what clients must not see.
func From(err error) *Error {
	var p *Error
	if errors.As(err, &p) {
		return p
	}
	return New(Internal, "internal error").Because(err)
}

// Gone is the problem of a request whose client left before the answer.
func Gone(cause error) *Error {
	return New(ClientGone, "the client left").Because(cause)
}
