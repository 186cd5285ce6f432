package bootstrap

import (
	"context"

	"github.com/arc-framework/arc/services/raymond/internal/deps"
)

// Stages returns the steps for the configured services. What records the
// outcome comes last.
func Stages(set *deps.Set) [][]Step {
	var first, last []Step
	if set.Oracle != nil {
		first = append(first, Step{deps.Oracle, "schema", func(ctx context.Context, _ []Item) ([]Item, error) {
			return Schema(ctx, set.Oracle.Pool(), Migrations())
		}})
		last = append(last, Step{deps.Oracle, "inventory", func(ctx context.Context, earlier []Item) ([]Item, error) {
			return Inventory(ctx, set.Oracle.Pool(), earlier)
		}})
	}
	if set.Flash != nil {
		first = append(first, Step{deps.Flash, "streams", func(ctx context.Context, _ []Item) ([]Item, error) {
			conn, err := set.Flash.Kept()
			if err != nil {
				return nil, err
			}
			return Streams(ctx, conn, PlatformStreams())
		}})
	}
	if set.Sonic != nil {
		last = append(last, Step{deps.Sonic, "marker", func(ctx context.Context, earlier []Item) ([]Item, error) {
			return Marker(ctx, set.Sonic.Client(), earlier)
		}})
	}
	return [][]Step{first, last}
}

// recorded leaves out what the last stage itself provisions, so that running
// it again records the same.
func recorded(items []Item) []Item {
	var kept []Item
	for _, i := range items {
		if i.Kind != "inventory" && i.Kind != "key" {
			kept = append(kept, i)
		}
	}
	return kept
}
