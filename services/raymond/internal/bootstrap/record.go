package bootstrap

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"

	"github.com/arc-framework/arc/services/raymond/internal/buildinfo"
)

// MarkerKey exists in sonic once the platform is provisioned.
const MarkerKey = "arc:bootstrap"

// Inventory makes the table arc.inventory list the items.
func Inventory(ctx context.Context, pool *pgxpool.Pool, items []Item) ([]Item, error) {
	action := Unchanged
	err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		for _, i := range recorded(items) {
			tag, err := tx.Exec(ctx, `INSERT INTO arc.inventory AS i (service, kind, name, detail) VALUES ($1, $2, $3, $4)
				ON CONFLICT (service, kind, name) DO UPDATE SET detail = excluded.detail, changed_at = now()
				WHERE i.detail <> excluded.detail`, i.Service, i.Kind, i.Name, i.Detail)
			if err != nil {
				return err
			}
			if tag.RowsAffected() > 0 {
				action = Updated
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("arc.inventory: %w", err)
	}
	return []Item{{Service: "oracle", Kind: "inventory", Name: "arc.inventory", Action: action}}, nil
}

// marker is the value of MarkerKey. It holds no time, so that a second run
// leaves it as it is.
type marker struct {
	Raymond     string   `json:"raymond"`
	Provisioned []string `json:"provisioned"`
}

// Marker makes the key tell what is provisioned, and by which version.
func Marker(ctx context.Context, client redis.Cmdable, items []Item) ([]Item, error) {
	m := marker{Raymond: buildinfo.Version, Provisioned: []string{}}
	for _, i := range recorded(items) {
		m.Provisioned = append(m.Provisioned, i.Service+"/"+i.Kind+"/"+i.Name)
	}
	want, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	item := Item{Service: "sonic", Kind: "key", Name: MarkerKey, Action: Unchanged}
	have, err := client.Get(ctx, MarkerKey).Result()
	switch {
	case errors.Is(err, redis.Nil):
		item.Action = Created
	case err != nil:
		return nil, err
	case have == string(want):
		return []Item{item}, nil
	default:
		item.Action = Updated
	}
	return []Item{item}, client.Set(ctx, MarkerKey, want, 0).Err()
}
