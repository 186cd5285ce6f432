package smoke

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/nats-io/nats.go"

	"github.com/arc-framework/arc/services/raymond/internal/deps"
)

// ReasonerSubject is where sherlock answers requests over NATS.
const ReasonerSubject = "arc.reasoner.request"

type chatRequest struct {
	SessionID string `json:"session_id"`
	Message   string `json:"message"`
	Stream    bool   `json:"stream"`
}

type chatAnswer struct {
	SessionID string `json:"session_id"`
	Answer    string `json:"answer"`
	Model     string `json:"model"`
	Message   string `json:"message"` // of an error
}

// sherlock talks in a session of its own, which it forgets at the end.
type sherlock struct {
	http    *deps.HTTP
	flash   *deps.NATS // nil: not configured
	session string
	talked  bool
}

func sherlockSuite(url string, flash *deps.NATS, id string) suite {
	s := &sherlock{http: deps.NewHTTP(deps.Sherlock, url, false), flash: flash, session: "smoke-" + id}
	return suite{deps.Sherlock, []step{
		{"health", s.http.Ping},
		{"ready", s.ready},
		{"answer over HTTP", s.overHTTP},
		{"answer over NATS", s.overNATS},
	}, s.clean}
}

func (s *sherlock) ready(ctx context.Context) (string, error) {
	return "GET /ready 200", awaitReady(ctx, s.http)
}

// question returns a request whose right answer nobody can guess.
func (s *sherlock) question() (body []byte, token string, err error) {
	token = strings.ToLower(rand.Text())
	body, err = json.Marshal(chatRequest{SessionID: s.session, Message: "ping " + token})
	return body, token, err
}

func (s *sherlock) judge(body []byte, token string) (string, error) {
	var a chatAnswer
	if err := json.Unmarshal(body, &a); err != nil {
		return "", fmt.Errorf("%.100q is not the JSON of an answer: %w", body, err)
	}
	switch {
	case a.Answer == "" && a.Message != "":
		return "", fmt.Errorf("sherlock: %s", a.Message)
	case a.SessionID != s.session:
		return "", fmt.Errorf("asked in session %q, answered in %q", s.session, a.SessionID)
	case !strings.Contains(a.Answer, token):
		return "", fmt.Errorf("the answer %.100q does not hold %q", a.Answer, token)
	}
	return "model " + a.Model + " answered", nil
}

func (s *sherlock) overHTTP(ctx context.Context) (string, error) {
	body, token, err := s.question()
	if err != nil {
		return "", err
	}
	s.talked = true
	answer, err := s.http.Do(ctx, http.MethodPost, "/v1/chat", bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	return s.judge(answer, token)
}

func (s *sherlock) overNATS(ctx context.Context) (string, error) {
	if s.flash == nil {
		return "", errors.New("RAYMOND_NATS_URL is not set: sherlock cannot be asked over NATS")
	}
	conn, err := s.flash.Dial(ctx)
	if err != nil {
		return "", fmt.Errorf("flash: %w", err)
	}
	defer conn.Close()
	body, token, err := s.question()
	if err != nil {
		return "", err
	}
	s.talked = true
	reply, err := conn.RequestWithContext(ctx, ReasonerSubject, body)
	if errors.Is(err, nats.ErrNoResponders) {
		return "", fmt.Errorf("nobody listens on %s", ReasonerSubject)
	}
	if err != nil {
		return "", err
	}
	return s.judge(reply.Data, token)
}

func (s *sherlock) clean(ctx context.Context) error {
	defer s.http.Close()
	if !s.talked {
		return nil
	}
	_, err := s.http.Do(ctx, http.MethodDelete, "/v1/sessions/"+s.session+"/memory", nil)
	return err
}
