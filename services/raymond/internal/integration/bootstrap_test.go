//go:build integration

package integration

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/arc-framework/arc/services/raymond/internal/backoff"
	"github.com/arc-framework/arc/services/raymond/internal/bootstrap"
	"github.com/arc-framework/arc/services/raymond/internal/deps"
	"github.com/arc-framework/arc/services/raymond/internal/smoke"
	"github.com/arc-framework/arc/services/raymond/internal/telemetry"
)

func provision(t *testing.T, set *deps.Set) []bootstrap.Item {
	t.Helper()
	_, log, r := open(t, load(t))
	run := bootstrap.NewRunner(bootstrap.Stages(set), backoff.Default, r, telemetry.NewMetrics(), log)
	if err := run.Run(t.Context(), 10*time.Second); err != nil {
		t.Fatal(err)
	}
	return run.Items()
}

// state is everything bootstrap is responsible for, with the times at which it
// was made.
func state(t *testing.T, set *deps.Set) string {
	t.Helper()
	var rows string
	err := set.Oracle.Pool().QueryRow(t.Context(), `SELECT
		(SELECT string_agg(m::text, ';' ORDER BY version) FROM arc.schema_migrations m) || ' | ' ||
		(SELECT string_agg(i::text, ';' ORDER BY service, kind, name) FROM arc.inventory i) || ' | ' ||
		(SELECT extversion FROM pg_extension WHERE extname = 'vector')`).Scan(&rows)
	if err != nil {
		t.Fatal(err)
	}
	key, err := set.Sonic.Client().Get(t.Context(), bootstrap.MarkerKey).Result()
	if err != nil {
		t.Fatal(err)
	}
	js, err := jetstream.New(dial(t, set))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"ARC_EVENTS", "ARC_REASONER"} {
		stream, err := js.Stream(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		info := stream.CachedInfo()
		rows += " | " + info.Config.Name + info.Created.String() + info.Config.MaxAge.String() + strings.Join(info.Config.Subjects, " ")
	}
	return rows + " | " + key
}

func TestBootstrapTwiceChangesNothing(t *testing.T) {
	set, _, _ := open(t, load(t))
	reset(t, set)
	first := provision(t, set)
	for _, i := range first {
		if i.Action == bootstrap.Unchanged && (i.Kind != "extension" || superuser(t, set)) {
			t.Errorf("the first run left %s %s unchanged", i.Kind, i.Name)
		}
	}
	for _, want := range []string{"extension", "schema", "migration", "stream", "inventory", "key"} {
		if !slices.ContainsFunc(first, func(i bootstrap.Item) bool { return i.Kind == want }) {
			t.Errorf("no %s among %+v", want, first)
		}
	}
	before := state(t, set)
	for _, i := range provision(t, set) {
		if i.Action != bootstrap.Unchanged {
			t.Errorf("the second run %s %s %s", i.Action, i.Kind, i.Name)
		}
	}
	if after := state(t, set); after != before {
		t.Errorf("the second run changed something:\n%s\n%s", before, after)
	}
}

func TestManyAtOnce(t *testing.T) {
	set, _, _ := open(t, load(t))
	reset(t, set)
	conn := dial(t, set)
	var wg sync.WaitGroup
	errs := make([]error, 6)
	for i := range errs {
		wg.Go(func() {
			_, err := bootstrap.Schema(t.Context(), set.Oracle.Pool(), bootstrap.Migrations())
			_, err2 := bootstrap.Streams(t.Context(), conn, bootstrap.PlatformStreams())
			errs[i] = errors.Join(err, err2)
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Error(err)
	}
}

func TestMigrations(t *testing.T) {
	set, _, _ := open(t, load(t))
	reset(t, set)
	pool := set.Oracle.Pool()
	files := fstest.MapFS{"migrations/0001_a.sql": {Data: []byte("CREATE TABLE arc.a (i int); INSERT INTO arc.a VALUES (1);")}}
	run := func() ([]bootstrap.Item, error) { return bootstrap.Schema(t.Context(), pool, files) }
	if _, err := run(); err != nil {
		t.Fatal(err)
	}

	// A migration that fails leaves nothing behind, not even its first half.
	files["migrations/0002_b.sql"] = &fstest.MapFile{Data: []byte("CREATE TABLE arc.b (i int); SELECT nothing;")}
	if _, err := run(); err == nil || !strings.Contains(err.Error(), "migration 0002_b") || backoff.IsPermanent(err) {
		t.Errorf("err %v", err)
	}
	var left bool
	if err := pool.QueryRow(t.Context(), "SELECT to_regclass('arc.b') IS NOT NULL").Scan(&left); err != nil || left {
		t.Errorf("half a migration is left: %t, %v", left, err)
	}

	files["migrations/0002_b.sql"] = &fstest.MapFile{Data: []byte("CREATE TABLE arc.b (i int);")}
	items, err := run()
	if err != nil || items[2].Action != bootstrap.Unchanged || items[3].Action != bootstrap.Created {
		t.Errorf("%+v, %v", items, err)
	}

	files["migrations/0001_a.sql"] = &fstest.MapFile{Data: []byte("CREATE TABLE arc.other (i int);")}
	if _, err := run(); err == nil || !strings.Contains(err.Error(), "0001_a was changed after it was applied") || !backoff.IsPermanent(err) {
		t.Errorf("err %v", err)
	}
	reset(t, set)
}

func TestStreamsAreUpdatedOrRefused(t *testing.T) {
	set, _, _ := open(t, load(t))
	conn := dial(t, set)
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	have := jetstream.StreamConfig{Name: "RAYMOND_TEST", Subjects: []string{"raymond.test.>"}, MaxMsgs: 77, MaxAge: time.Hour}
	_ = js.DeleteStream(t.Context(), have.Name)
	if _, err := js.CreateStream(t.Context(), have); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = js.DeleteStream(context.Background(), have.Name) })
	if _, err := js.Publish(t.Context(), "raymond.test.a", []byte("kept")); err != nil {
		t.Fatal(err)
	}
	want := jetstream.StreamConfig{Name: have.Name, Subjects: []string{"raymond.test.>", "raymond.more"}, MaxAge: 2 * time.Hour, MaxBytes: 1 << 20}
	items, err := bootstrap.Streams(t.Context(), conn, []jetstream.StreamConfig{want})
	if err != nil || items[0].Action != bootstrap.Updated {
		t.Fatalf("%+v, %v", items, err)
	}
	stream, err := js.Stream(t.Context(), have.Name)
	if err != nil {
		t.Fatal(err)
	}
	if got := stream.CachedInfo(); got.Config.MaxAge != 2*time.Hour || len(got.Config.Subjects) != 2 || got.Config.MaxMsgs != 77 || got.State.Msgs != 1 {
		t.Errorf("after the update: %+v", got)
	}
	want.Storage = jetstream.MemoryStorage
	_, err = bootstrap.Streams(t.Context(), conn, []jetstream.StreamConfig{want})
	if err == nil || !backoff.IsPermanent(err) || !strings.Contains(err.Error(), "delete it, or restore") {
		t.Errorf("err %v", err)
	}
}

// With the platform's streams in place a request to the reasoner is answered
// by whoever listens, and an event of the reasoner is acknowledged.
func TestRequestsAreAnsweredByTheService(t *testing.T) {
	set, _, _ := open(t, load(t))
	provision(t, set)
	service, client := dial(t, set), dial(t, set)
	sub, err := service.Subscribe(smoke.ReasonerSubject, func(m *nats.Msg) {
		time.Sleep(200 * time.Millisecond) // long enough for anybody else to be first
		_ = m.Respond([]byte("from the service"))
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = sub.Unsubscribe() }()
	if err := service.Flush(); err != nil {
		t.Fatal(err)
	}
	reply, err := client.Request(smoke.ReasonerSubject, []byte("hello"), 5*time.Second)
	if err != nil || string(reply.Data) != "from the service" {
		t.Errorf("%q, %v", reply.Data, err)
	}
	js, err := jetstream.New(client)
	if err != nil {
		t.Fatal(err)
	}
	ack, err := js.Publish(t.Context(), "arc.reasoner.answered", []byte("{}"))
	if err != nil || ack.Stream != "ARC_REASONER" {
		t.Errorf("%+v, %v", ack, err)
	}
	if ack, err = js.Publish(t.Context(), "arc.events.test", []byte("{}")); err != nil || ack.Stream != "ARC_EVENTS" {
		t.Errorf("%+v, %v", ack, err)
	}
}
