package smoke

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/arc-framework/arc/services/raymond/internal/deps"
)

const (
	messages     = 10
	streamPrefix = "ARC_SMOKE_"
	// abandoned is the age at which a stream was left by a run that was killed.
	abandoned = 10 * time.Minute
)

// flash uses subjects and a stream of its own.
type flash struct {
	dep    *deps.NATS
	conn   *nats.Conn
	root   string // of its subjects
	stream string
	made   bool
}

func flashSuite(dep *deps.NATS, id string) suite {
	f := &flash{dep: dep, root: "arc.smoke." + id, stream: streamPrefix + strings.ToUpper(id)}
	return suite{deps.Flash, []step{
		{"connect", f.connect},
		{"publish and subscribe", f.publish},
		{"request and reply", f.request},
		{"JetStream publish, consume, acknowledge", f.jetstream},
	}, f.clean}
}

func (f *flash) connect(ctx context.Context) (string, error) {
	conn, err := f.dep.Dial(ctx)
	if err != nil {
		return "", err
	}
	f.conn = conn
	return "NATS " + conn.ConnectedServerVersion(), nil
}

func (f *flash) publish(ctx context.Context) (string, error) {
	sub, err := f.conn.SubscribeSync(f.root + ".core.*")
	if err != nil {
		return "", err
	}
	defer func() { _ = sub.Unsubscribe() }()
	for i := range messages {
		if err := f.conn.Publish(fmt.Sprintf("%s.core.%d", f.root, i), []byte{byte(i)}); err != nil {
			return "", err
		}
	}
	for i := range messages {
		msg, err := sub.NextMsgWithContext(ctx)
		if err != nil {
			return "", fmt.Errorf("message %d of %d: %w", i+1, messages, err)
		}
		if len(msg.Data) != 1 || msg.Data[0] != byte(i) {
			return "", fmt.Errorf("message %d holds %q", i+1, msg.Data)
		}
	}
	return fmt.Sprintf("%d messages arrived in order", messages), nil
}

func (f *flash) request(ctx context.Context) (string, error) {
	subject := f.root + ".request"
	sub, err := f.conn.Subscribe(subject, func(m *nats.Msg) { _ = m.Respond(append([]byte("re: "), m.Data...)) })
	if err != nil {
		return "", err
	}
	defer func() { _ = sub.Unsubscribe() }()
	reply, err := f.conn.RequestWithContext(ctx, subject, []byte("hello"))
	if err != nil {
		return "", err
	}
	if string(reply.Data) != "re: hello" {
		return "", fmt.Errorf("the reply is %q", reply.Data)
	}
	return "the reply came back", nil
}

func (f *flash) jetstream(ctx context.Context) (string, error) {
	js, err := jetstream.New(f.conn)
	if err != nil {
		return "", err
	}
	if err := sweep(ctx, js, abandoned); err != nil {
		return "", err
	}
	f.made = true // also when the answer to the creation is lost
	stream, err := js.CreateStream(ctx, jetstream.StreamConfig{
		Name: f.stream, Subjects: []string{f.root + ".js.>"}, Storage: jetstream.FileStorage,
		MaxAge: time.Hour, MaxBytes: 1 << 20,
	})
	if err != nil {
		return "", fmt.Errorf("create stream: %w", err)
	}
	for i := range messages {
		if _, err := js.Publish(ctx, fmt.Sprintf("%s.js.%d", f.root, i), []byte{byte(i)}); err != nil {
			return "", fmt.Errorf("publish %d: %w", i+1, err)
		}
	}
	consumer, err := stream.CreateConsumer(ctx, jetstream.ConsumerConfig{Durable: "smoke", AckPolicy: jetstream.AckExplicitPolicy})
	if err != nil {
		return "", fmt.Errorf("create consumer: %w", err)
	}
	if err := consume(ctx, consumer); err != nil {
		return "", err
	}
	return settled(ctx, stream, consumer)
}

func consume(ctx context.Context, consumer jetstream.Consumer) error {
	batch, err := consumer.Fetch(messages, jetstream.FetchContext(ctx))
	if err != nil {
		return fmt.Errorf("fetch: %w", err)
	}
	next := 0
	for msg := range batch.Messages() {
		if data := msg.Data(); len(data) != 1 || data[0] != byte(next) {
			return fmt.Errorf("message %d holds %q", next+1, data)
		}
		// Waits until the server has noted the acknowledgement.
		if err := msg.DoubleAck(ctx); err != nil {
			return fmt.Errorf("acknowledge %d: %w", next+1, err)
		}
		next++
	}
	if next != messages {
		return fmt.Errorf("consumed %d of %d messages: %w", next, messages, errors.Join(batch.Error(), ctx.Err()))
	}
	return nil
}

// settled counts: all messages are stored, none is left to deliver or to
// acknowledge.
func settled(ctx context.Context, stream jetstream.Stream, consumer jetstream.Consumer) (string, error) {
	si, err := stream.Info(ctx)
	if err != nil {
		return "", err
	}
	ci, err := consumer.Info(ctx)
	if err != nil {
		return "", err
	}
	if si.State.Msgs != messages || ci.NumPending != 0 || ci.NumAckPending != 0 || ci.AckFloor.Stream != messages {
		return "", fmt.Errorf("%d stored of %d, %d to deliver, %d to acknowledge, acknowledged up to %d",
			si.State.Msgs, messages, ci.NumPending, ci.NumAckPending, ci.AckFloor.Stream)
	}
	return fmt.Sprintf("%d stored, consumed and acknowledged", messages), nil
}

// sweep deletes streams of earlier runs that are older than age.
func sweep(ctx context.Context, js jetstream.JetStream, age time.Duration) error {
	list := js.ListStreams(ctx, jetstream.WithStreamListSubject("arc.smoke.>"))
	var old []string
	for info := range list.Info() {
		if strings.HasPrefix(info.Config.Name, streamPrefix) && time.Since(info.Created) > age {
			old = append(old, info.Config.Name)
		}
	}
	if err := list.Err(); err != nil {
		return fmt.Errorf("list streams: %w", err)
	}
	for _, name := range old {
		if err := js.DeleteStream(ctx, name); err != nil && !errors.Is(err, jetstream.ErrStreamNotFound) {
			return fmt.Errorf("delete abandoned stream %s: %w", name, err)
		}
	}
	return nil
}

func (f *flash) clean(ctx context.Context) error {
	if f.conn == nil {
		return nil
	}
	defer f.conn.Close()
	if !f.made {
		return nil
	}
	js, err := jetstream.New(f.conn)
	if err != nil {
		return err
	}
	if err := js.DeleteStream(ctx, f.stream); err != nil && !errors.Is(err, jetstream.ErrStreamNotFound) {
		return fmt.Errorf("delete stream %s: %w", f.stream, err)
	}
	return nil
}
