// Package downstream calls the next instance in a chain.
package downstream

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"kit.local/goapp/internal/problem"
	"kit.local/goapp/internal/tracing"
)

const (
	idleTimeout = 30 * time.Second // shorter than the other side's, so that it never closes a connection we just chose
	idle        = 64               // connections kept for the next burst
)

// Client calls one downstream.
type Client struct {
	base    *url.URL
	timeout time.Duration
	before  func(context.Context) error
	traces  *tracing.Tracing
	http    http.Client
}

// Answer is an answer with its body read.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// New makes a client. A call has taken timeout at most, with the answer's body and with before, which runs ahead of each.
func New(base *url.URL, timeout time.Duration, before func(context.Context) error, traces *tracing.Tracing) *Client {
	return &Client{base: base, timeout: timeout, before: before, traces: traces, http: http.Client{
		Transport:     &http.Transport{MaxIdleConnsPerHost: idle, IdleConnTimeout: idleTimeout},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Do sends one request. Any status is an answer; its error is a problem: downstream_failed, downstream_slow or client_gone.
func (c *Client) Do(ctx context.Context, method, path string, body []byte) (Answer, error) {
	limited, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	answer, err := c.do(limited, method, path, body)
	switch {
	case err == nil:
		return answer, nil
	case ctx.Err() != nil:
		return Answer{}, problem.Gone(err)
	case errors.Is(err, context.DeadlineExceeded):
		return Answer{}, problem.New(problem.DownstreamSlow, "the downstream did not answer within %s", c.timeout).Because(err)
	}
	return Answer{}, problem.New(problem.DownstreamFailed, "the downstream does not answer").Because(err)
}

func (c *Client) do(ctx context.Context, method, path string, body []byte) (answer Answer, err error) {
	target := c.base.JoinPath(path)
	ctx, span := c.traces.Client(ctx, method, target)
	defer func() { span.Returned(answer.Status, err) }()
	if err := c.before(ctx); err != nil {
		return Answer{}, err
	}
	request, err := http.NewRequestWithContext(ctx, method, target.String(), bytes.NewReader(body))
	if err != nil {
		return Answer{}, err
	}
	tracing.Propagate(ctx, request.Header)
	response, err := c.http.Do(request)
	if err != nil {
		return Answer{}, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return Answer{response.StatusCode, response.Header, text}, err
}

// Healthy asks the downstream's /health. Its error is a problem, as Do's.
func (c *Client) Healthy(ctx context.Context) error {
	answer, err := c.Do(ctx, http.MethodGet, "/health", nil)
	if err == nil && answer.Status != http.StatusOK {
		err = problem.New(problem.DownstreamFailed, "the downstream is not healthy").Because(fmt.Errorf("status %d", answer.Status))
	}
	return err
}
