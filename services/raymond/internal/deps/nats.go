package deps

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/arc-framework/arc/services/raymond/internal/config"
)

// NATS is the client of flash. Until Start it connects for each Ping anew;
// after Start it keeps one connection and restores it whenever it is lost.
type NATS struct {
	cfg     *config.NATS
	log     *slog.Logger
	dialer  dialer
	lastErr atomic.Pointer[error]

	mu      sync.Mutex
	started bool
	closed  bool
	conn    *nats.Conn // nil until the first attempt has ended
}

// NewNATS makes a client that connects when first used.
func NewNATS(cfg *config.NATS, log *slog.Logger) *NATS {
	return &NATS{cfg: cfg, log: log}
}

// dialer remembers why the last attempt failed: the library reports only that
// no server is available.
type dialer struct {
	net.Dialer
	last atomic.Pointer[error]
}

func (d *dialer) Dial(network, address string) (net.Conn, error) {
	conn, err := d.Dialer.Dial(network, address)
	if err != nil {
		d.last.Store(&err)
	}
	return conn, err
}

func (d *dialer) explain(err error) error {
	if last := d.last.Load(); last != nil && errors.Is(err, nats.ErrNoServers) {
		return *last
	}
	return err
}

func (n *NATS) options(timeout time.Duration, d *dialer) []nats.Option {
	d.Timeout = timeout
	return []nats.Option{
		nats.SetCustomDialer(d),
		nats.Name("raymond"),
		nats.UserInfo(n.cfg.User, n.cfg.Password.Reveal()),
		nats.Timeout(timeout),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			n.log.Debug("nats client", "err", err)
		}),
	}
}

// Start opens the kept connection in the background: a server that is away, or
// accepts and says nothing, holds up nobody.
func (n *NATS) Start() {
	n.mu.Lock()
	n.started = true
	n.mu.Unlock()
	go n.connect()
}

func (n *NATS) connect() {
	conn, err := nats.Connect(n.cfg.URL, append(n.options(connectTimeout, &n.dialer),
		nats.RetryOnFailedConnect(true),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(time.Second),
		// The password may be right a moment later, when the server has read it.
		nats.IgnoreAuthErrorAbort(),
		nats.ReconnectErrHandler(func(_ *nats.Conn, err error) { n.lastErr.Store(&err) }),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				n.lastErr.Store(&err)
			}
		}),
	)...)
	if err != nil { // of the options, since failed attempts are repeated
		n.lastErr.Store(&err)
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		conn.Close()
		return
	}
	n.conn = conn
}

// Dial opens a connection of its own, which the caller closes. It does not
// outlive a loss. The wait ends with ctx.
func (n *NATS) Dial(ctx context.Context) (*nats.Conn, error) {
	timeout := connectTimeout
	if deadline, ok := ctx.Deadline(); ok {
		timeout = min(timeout, time.Until(deadline))
	}
	var d dialer
	conn, err := nats.Connect(n.cfg.URL, append(n.options(timeout, &d), nats.NoReconnect())...)
	return conn, d.explain(err)
}

// Kept returns the kept connection; the error tells why there is none.
func (n *NATS) Kept() (*nats.Conn, error) {
	n.mu.Lock()
	conn := n.conn
	n.mu.Unlock()
	if conn != nil && conn.IsConnected() {
		return conn, nil
	}
	if err := n.lastErr.Load(); err != nil {
		return nil, fmt.Errorf("not connected: %w", n.dialer.explain(*err))
	}
	return nil, errors.New("not connected yet")
}

// Name returns "flash".
func (n *NATS) Name() string { return Flash }

// Target returns the URL.
func (n *NATS) Target() string { return n.cfg.URL }

// Required returns true.
func (n *NATS) Required() bool { return true }

// Ping makes a round trip to the server, asks JetStream for its account and
// returns the server's version.
func (n *NATS) Ping(ctx context.Context) (string, error) {
	n.mu.Lock()
	started := n.started
	n.mu.Unlock()
	if started {
		conn, err := n.Kept()
		if err != nil {
			return "", err
		}
		return ping(ctx, conn)
	}
	conn, err := n.Dial(ctx)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	return ping(ctx, conn)
}

func ping(ctx context.Context, conn *nats.Conn) (string, error) {
	if err := conn.FlushWithContext(ctx); err != nil {
		return "", err
	}
	js, err := jetstream.New(conn)
	if err != nil {
		return "", err
	}
	if _, err := js.AccountInfo(ctx); err != nil {
		return "", fmt.Errorf("JetStream: %w", err)
	}
	return "NATS " + conn.ConnectedServerVersion() + ", JetStream", nil
}

// Close sends what is buffered and closes the kept connection.
func (n *NATS) Close() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.closed = true
	if n.conn == nil {
		return
	}
	if n.conn.IsConnected() {
		// Bounded: a server that hangs must not delay the end.
		_ = n.conn.FlushTimeout(time.Second)
	}
	n.conn.Close()
}
