package deps

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"
)

// maxBody is how much of an answer is read: 1 MiB.
const maxBody = 1 << 20

// HTTP is the client of a service that speaks HTTP.
type HTTP struct {
	name     string
	url      string
	required bool
	client   *http.Client
}

// NewHTTP makes a client of the service at url, scheme://host:port.
func NewHTTP(name, url string, required bool) *HTTP {
	return &HTTP{name: name, url: url, required: required, client: &http.Client{
		// No proxy: services are reached on the stack's own network.
		Transport: &http.Transport{MaxIdleConns: 2, IdleConnTimeout: 30 * time.Second},
	}}
}

// Name returns the codename.
func (h *HTTP) Name() string { return h.name }

// Target returns the URL.
func (h *HTTP) Target() string { return h.url }

// Required tells whether raymond needs it to be ready.
func (h *HTTP) Required() bool { return h.required }

// Ping asks GET /health and expects 200.
func (h *HTTP) Ping(ctx context.Context) (string, error) {
	if _, err := h.Do(ctx, http.MethodGet, "/health", nil); err != nil {
		return "", err
	}
	return "GET /health 200", nil
}

// Do sends a request, with body as JSON unless nil, and returns the answer's
// body. Another status than 200 is an error that shows the body's beginning.
func (h *HTTP) Do(ctx context.Context, method, path string, body io.Reader) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, h.url+path, body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json, text/plain")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := h.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxBody))
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, path, err)
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s %s: %s: %.200s", method, path, resp.Status, answer)
	}
	return answer, nil
}

// Close gives back idle connections.
func (h *HTTP) Close() { h.client.CloseIdleConnections() }
