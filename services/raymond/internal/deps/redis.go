package deps

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/arc-framework/arc/services/raymond/internal/config"
)

// Redis is the client of sonic.
type Redis struct {
	target string
	client *redis.Client
}

// redisLog hands the library's own messages, which otherwise go to standard
// error as plain text, to the log.
type redisLog struct{ log *slog.Logger }

func (l redisLog) Printf(ctx context.Context, format string, v ...any) {
	l.log.DebugContext(ctx, "redis client", "detail", fmt.Sprintf(format, v...))
}

var setRedisLogger sync.Once // the library's logger is global

// NewRedis makes a client that connects when first used.
func NewRedis(cfg *config.Redis, log *slog.Logger) *Redis {
	setRedisLogger.Do(func() { redis.SetLogger(redisLog{log}) })
	return &Redis{target: cfg.Addr, client: redis.NewClient(&redis.Options{
		Addr:        cfg.Addr,
		Password:    cfg.Password.Reveal(),
		ClientName:  "raymond",
		DialTimeout: connectTimeout,
		PoolSize:    4,
		// A probe must tell what happened now; whoever calls repeats.
		MaxRetries:      -1,
		DialerRetries:   1,
		DisableIdentity: true,
		// A feature of the hosted product; a plain server refuses it.
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
		ContextTimeoutEnabled:    true,
	})}
}

// Client returns the connections.
func (r *Redis) Client() *redis.Client { return r.client }

// Name returns "sonic".
func (r *Redis) Name() string { return Sonic }

// Target returns host:port.
func (r *Redis) Target() string { return r.target }

// Required returns true.
func (r *Redis) Required() bool { return true }

// Ping sends PING and returns the server's version.
func (r *Redis) Ping(ctx context.Context) (string, error) {
	pong, err := r.client.Ping(ctx).Result()
	if err != nil {
		return "", err
	}
	if pong != "PONG" {
		return "", errors.New("PING was not answered by PONG")
	}
	info, err := r.client.Info(ctx, "server").Result()
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(info) {
		if v, ok := strings.CutPrefix(line, "redis_version:"); ok {
			return "Redis " + strings.TrimSpace(v), nil
		}
	}
	return "PONG", nil
}

// Close closes the connections.
func (r *Redis) Close() { _ = r.client.Close() }
