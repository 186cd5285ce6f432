package server

import (
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// recorder remembers the status of an answer.
type recorder struct {
	http.ResponseWriter
	code int
}

func (r *recorder) WriteHeader(code int) {
	r.code = code
	r.ResponseWriter.WriteHeader(code)
}

// Unwrap lets http.ResponseController find what lies below.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// observed counts and logs requests, and turns a panic into a 500.
func (s *Server) observed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		rec := &recorder{ResponseWriter: w, code: http.StatusOK}
		defer func() {
			if p := recover(); p != nil {
				rec.code = http.StatusInternalServerError
				s.log.ErrorContext(r.Context(), "handler panicked", "path", r.URL.Path, "panic", fmt.Sprint(p))
				http.Error(w, "internal error", rec.code)
			}
			route := r.Pattern // set by the mux; bounded, unlike the path
			if route == "" {
				route = "none"
			}
			took := time.Since(start)
			s.metrics.Served(route, strconv.Itoa(rec.code), took)
			s.log.DebugContext(r.Context(), "request", "method", r.Method, "path", r.URL.Path, "code", rec.code, "ms", took.Milliseconds())
		}()
		next.ServeHTTP(rec, r)
	})
}
