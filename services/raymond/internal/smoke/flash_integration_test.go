//go:build integration

package smoke

import (
	"errors"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/arc-framework/arc/services/raymond/internal/config"
	"github.com/arc-framework/arc/services/raymond/internal/deps"
)

func TestSweepDeletesAbandonedStreamsAlone(t *testing.T) {
	cfg, err := config.Load(os.Environ())
	if err != nil || cfg.NATS == nil {
		t.Fatalf("set RAYMOND_NATS_URL: %v", err)
	}
	conn, err := deps.NewNATS(cfg.NATS, slog.New(slog.DiscardHandler)).Dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	for name, subject := range map[string]string{"ARC_SMOKE_OLD": "arc.smoke.old.js.>", "OF_SOMEBODY": "arc.smoke.other"} {
		if _, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: name, Subjects: []string{subject}}); err != nil {
			t.Fatal(err)
		}
	}
	exists := func(name string) bool {
		_, err := js.Stream(t.Context(), name)
		return !errors.Is(err, jetstream.ErrStreamNotFound)
	}
	if err := sweep(t.Context(), js, abandoned); err != nil || !exists("ARC_SMOKE_OLD") {
		t.Errorf("a young stream is gone, or %v", err)
	}
	time.Sleep(50 * time.Millisecond)
	if err := sweep(t.Context(), js, 20*time.Millisecond); err != nil || exists("ARC_SMOKE_OLD") || !exists("OF_SOMEBODY") {
		t.Errorf("err %v, old one there: %t, somebody's there: %t", err, exists("ARC_SMOKE_OLD"), exists("OF_SOMEBODY"))
	}
	if err := js.DeleteStream(t.Context(), "OF_SOMEBODY"); err != nil {
		t.Error(err)
	}
}
