package main

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestHTTPAgainstARealServer(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.RequestURI() {
		case "/health?deep=1":
			io.WriteString(w, `{"status":"ok"}`)
		case "/chunked":
			io.WriteString(w, "first ")
			w.(http.Flusher).Flush()
			io.WriteString(w, "second")
		case "/early":
			w.WriteHeader(http.StatusEarlyHints)
			io.WriteString(w, "final")
		case "/moved":
			http.Redirect(w, r, "/health?deep=1", http.StatusFound)
		case "/host":
			io.WriteString(w, r.Host)
		default:
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer server.Close()
	url := server.URL

	expectHealthy(t, "http", url+"/health?deep=1")
	expectHealthy(t, "http", url+"/health?deep=1", "-contains", `"status":"ok"`, "-timeout", "5s")
	expectHealthy(t, "http", "-expect", "503", url+"/down")
	expectHealthy(t, "http", url+"/moved", "-expect", "302")
	expectHealthy(t, "http", url+"/chunked", "-contains", "first second")
	expectHealthy(t, "http", url+"/early", "-contains", "final")
	expectHealthy(t, "http", url+"/host", "-contains", strings.TrimPrefix(url, "http://"))
	expectUnhealthy(t, "status 503, expected 200", "http", url+"/down")
	expectUnhealthy(t, "status 302, expected 200", "http", url+"/moved")
	expectUnhealthy(t, `the answer has no "green"`, "http", url+"/health?deep=1", "-contains", "green")
	expectUnhealthy(t, `the answer has no "second first"`, "http", url+"/chunked", "-contains", "second first")
}

func TestHTTPAgainstBrokenServers(t *testing.T) {
	tests := []struct {
		name, answer, want string
		args               []string
	}{
		{name: "not HTTP", answer: "-ERR unknown command\r\n", want: "not an HTTP/1 answer"},
		{name: "other protocol version", answer: "HTTP/2 200 OK\r\n\r\n", want: "not an HTTP/1 answer"},
		{name: "status of two digits", answer: "HTTP/1.1 20 OK\r\n\r\n", want: "not an HTTP/1 answer"},
		{name: "nothing", answer: "", want: "no answer"},
		{name: "headers cut", answer: "HTTP/1.1 200 OK\r\nServer: x\r\n", want: "headers end too early"},
		{name: "bad length", answer: "HTTP/1.1 200 OK\r\nContent-Length: -4\r\n\r\n", want: "not a Content-Length"},
		{
			name: "bad chunk", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
			want: "not the size of a chunk", args: []string{"-contains", "x"},
		},
		{
			name: "body beyond its length is not searched", answer: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabc",
			want: "has no", args: []string{"-contains", "abc"},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			url := serveOnce(t, test.answer)
			expectUnhealthy(t, test.want, append([]string{"http", url}, test.args...)...)
		})
	}
}

func TestHTTPTakesAnAnswerWithoutReasonOrLength(t *testing.T) {
	expectHealthy(t, "http", serveOnce(t, "HTTP/1.0 200\r\n\r\nfine"), "-contains", "fine")
	expectHealthy(t, "http", serveOnce(t, "HTTP/1.1 200 \n\nfine"), "-contains", "fine")
}

func TestHTTPEndsAtTheTimeout(t *testing.T) {
	listener := listen(t)
	start := time.Now()
	expectUnhealthy(t, "timeout", "http", "http://"+listener.Addr().String()+"/", "-timeout", "200ms")
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("took %s", took)
	}
}

func TestGetRequest(t *testing.T) {
	address, request, err := getRequest("http://[::1]/a%20b?c=d#e")
	if err != nil || address != "[::1]:80" {
		t.Fatalf("got %q, %v", address, err)
	}
	want := "GET /a%20b?c=d HTTP/1.1\r\nHost: [::1]\r\n"
	if !strings.HasPrefix(request, want) || !strings.HasSuffix(request, "\r\n\r\n") {
		t.Errorf("got %q, want it to begin with %q", request, want)
	}
}

// serveOnce answers one connection with the text and closes it.
func serveOnce(t *testing.T, answer string) string {
	t.Helper()
	listener := listen(t)
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		// The request is read first: closing with unread data would reset the connection.
		conn.Read(make([]byte, 4096))
		io.WriteString(conn, answer)
	}()
	return "http://" + listener.Addr().String() + "/"
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	return listener
}
