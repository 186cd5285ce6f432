package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/arc-framework/arc/services/raymond/internal/backoff"
)

const mib = 1 << 20

// PlatformStreams returns the streams every service may count on.
func PlatformStreams() []jetstream.StreamConfig {
	return []jetstream.StreamConfig{
		{
			Name: "ARC_EVENTS", Description: "Events of the platform.", Subjects: []string{"arc.events.>"},
			Retention: jetstream.LimitsPolicy, Storage: jetstream.FileStorage, Discard: jetstream.DiscardOld,
			MaxAge: 7 * 24 * time.Hour, MaxBytes: 256 * mib,
		},
		{
			// Not arc.reasoner.>: that would take in arc.reasoner.request, where
			// services wait for a reply. JetStream acknowledges to the reply
			// subject, so its acknowledgement would come before the answer and
			// be taken for it.
			Name: "ARC_REASONER", Description: "What the reasoner tells.", Subjects: []string{"arc.reasoner.answered", "arc.reasoner.events.>"},
			Retention: jetstream.LimitsPolicy, Storage: jetstream.FileStorage, Discard: jetstream.DiscardOld,
			MaxAge: 24 * time.Hour, MaxBytes: 128 * mib,
		},
	}
}

// Streams makes the streams be as wanted: it creates what is missing and
// updates what differs in the fields it sets; the others are left alone.
func Streams(ctx context.Context, conn *nats.Conn, wanted []jetstream.StreamConfig) ([]Item, error) {
	js, err := jetstream.New(conn)
	if err != nil {
		return nil, err
	}
	var items []Item
	for _, want := range wanted {
		action, err := ensureStream(ctx, js, want)
		if err != nil {
			return items, fmt.Errorf("stream %s: %w", want.Name, err)
		}
		items = append(items, Item{Service: "flash", Kind: "stream", Name: want.Name, Action: action,
			Detail: fmt.Sprintf("%s, at most %s and %d MiB", strings.Join(want.Subjects, " "), want.MaxAge, want.MaxBytes/mib)})
	}
	return items, nil
}

func ensureStream(ctx context.Context, js jetstream.JetStream, want jetstream.StreamConfig) (Action, error) {
	stream, err := js.Stream(ctx, want.Name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		_, err = js.CreateStream(ctx, want)
		return Created, err
	}
	if err != nil {
		return "", err
	}
	have := stream.CachedInfo().Config
	if have.Storage != want.Storage || have.Retention != want.Retention {
		return "", backoff.Permanent(fmt.Errorf(
			"exists with storage %s and retention %s, which cannot be changed: delete it, or restore %s and %s",
			have.Storage, have.Retention, want.Storage, want.Retention))
	}
	merged := have
	merged.Description, merged.Subjects, merged.Discard = want.Description, want.Subjects, want.Discard
	merged.MaxAge, merged.MaxBytes, merged.NoAck = want.MaxAge, want.MaxBytes, want.NoAck
	if merged.Description == have.Description && slices.Equal(merged.Subjects, have.Subjects) && merged.Discard == have.Discard &&
		merged.MaxAge == have.MaxAge && merged.MaxBytes == have.MaxBytes && merged.NoAck == have.NoAck {
		return Unchanged, nil
	}
	_, err = js.UpdateStream(ctx, merged)
	return Updated, err
}
