package smoke

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/arc-framework/arc/services/raymond/internal/config"
	"github.com/arc-framework/arc/services/raymond/internal/deps"
)

// keyLife bounds how long a key outlives a run that is killed.
const keyLife = time.Minute

// sonic uses keys of its own below a prefix.
type sonic struct {
	dep    *deps.Redis
	prefix string
}

func sonicSuite(cfg *config.Redis, id string, log *slog.Logger) suite {
	s := &sonic{dep: deps.NewRedis(cfg, log), prefix: "arc:smoke:" + id + ":"}
	return suite{deps.Sonic, []step{
		{"connect", s.dep.Ping},
		{"set and get", s.setGet},
		{"expire", s.expire},
		{"increment", s.increment},
	}, s.clean}
}

func (s *sonic) setGet(ctx context.Context) (string, error) {
	key, want := s.prefix+"value", "line\r\n\x00é"
	c := s.dep.Client()
	if err := c.Set(ctx, key, want, keyLife).Err(); err != nil {
		return "", err
	}
	got, err := c.Get(ctx, key).Result()
	if err != nil {
		return "", err
	}
	if got != want {
		return "", fmt.Errorf("set %q, got %q", want, got)
	}
	return "the value came back", nil
}

func (s *sonic) expire(ctx context.Context) (string, error) {
	key, c := s.prefix+"short", s.dep.Client()
	if err := c.Set(ctx, key, "x", keyLife).Err(); err != nil {
		return "", err
	}
	set, err := c.Expire(ctx, key, time.Second).Result()
	if err != nil {
		return "", err
	}
	if left := c.PTTL(ctx, key).Val(); !set || left <= 0 || left > time.Second {
		return "", fmt.Errorf("EXPIRE 1 s answered %t and left %s", set, left)
	}
	start := time.Now()
	for {
		err := c.Get(ctx, key).Err()
		if errors.Is(err, redis.Nil) {
			break
		}
		if err != nil {
			return "", err
		}
		if time.Since(start) > 3*time.Second {
			return "", errors.New("a key with a life of 1 s is there after 3 s")
		}
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
	return fmt.Sprintf("a key with a life of 1 s was gone after %.1f s", time.Since(start).Seconds()), nil
}

func (s *sonic) increment(ctx context.Context) (string, error) {
	key, c := s.prefix+"count", s.dep.Client()
	if err := c.Set(ctx, key, 0, keyLife).Err(); err != nil {
		return "", err
	}
	var got int64
	for range 10 {
		var err error
		if got, err = c.Incr(ctx, key).Result(); err != nil {
			return "", err
		}
	}
	if got != 10 {
		return "", fmt.Errorf("INCR ten times gave %d", got)
	}
	return "INCR ten times gave 10", nil
}

func (s *sonic) clean(ctx context.Context) error {
	defer s.dep.Close()
	err := s.dep.Client().Del(ctx, s.prefix+"value", s.prefix+"short", s.prefix+"count").Err()
	if err != nil && s.dep.Client().Ping(ctx).Err() != nil {
		return nil // unreachable: the checks have said so, and nothing was made or it expires
	}
	return err
}
