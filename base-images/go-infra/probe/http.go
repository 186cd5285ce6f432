package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// bodyLimit is how many bytes of an answer are searched for the expected text.
const bodyLimit = 1 << 20

// checkHTTP passes when a GET is answered with the expected status, and a body that has the expected text, within the
// timeout. Redirects are not followed. It speaks HTTP/1.1 itself: net/http would more than double the size of the program.
func checkHTTP(target string, o options) error {
	address, request, err := getRequest(target)
	if err != nil {
		return err
	}
	fail := func(err error) error { return fmt.Errorf("http %s: %w", target, err) }
	deadline := time.Now().Add(o.timeout)
	conn, err := net.DialTimeout("tcp", address, o.timeout)
	if err != nil {
		return fail(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(deadline); err != nil {
		return fail(err)
	}
	if _, err := io.WriteString(conn, request); err != nil {
		return fail(err)
	}
	reader := bufio.NewReader(io.LimitReader(conn, 2*bodyLimit))
	head, err := readFinalHead(reader)
	if err != nil {
		return fail(err)
	}
	if head.status != o.expect {
		return fail(fmt.Errorf("status %d, expected %d", head.status, o.expect))
	}
	if o.contains == "" {
		return nil
	}
	body, err := readBody(reader, head)
	if strings.Contains(body, o.contains) {
		return nil
	}
	if err != nil {
		return fail(err)
	}
	return fail(fmt.Errorf("the answer has no %q", o.contains))
}

// getRequest returns the address to dial and the text to send for a URL.
func getRequest(target string) (address, request string, err error) {
	parsed, err := url.Parse(target)
	if err != nil || parsed.Scheme != "http" || parsed.Hostname() == "" {
		return "", "", usageError{fmt.Sprintf("http: %q is not an http:// URL", target)}
	}
	if parsed.User != nil {
		return "", "", usageError{"http: a URL with a user or a password is not taken"}
	}
	port := parsed.Port()
	if port == "" {
		port = "80"
	}
	request = "GET " + parsed.RequestURI() + " HTTP/1.1\r\nHost: " + parsed.Host +
		"\r\nUser-Agent: arc-probe\r\nAccept: */*\r\nConnection: close\r\n\r\n"
	return net.JoinHostPort(parsed.Hostname(), port), request, nil
}

// head is what the probe needs of an answer's first lines; length is -1 where the answer does not say it.
type head struct {
	status  int
	length  int64
	chunked bool
}

// readFinalHead skips interim answers (100 Continue, 103 Early Hints).
func readFinalHead(reader *bufio.Reader) (head, error) {
	for {
		result, err := readHead(reader)
		if err != nil || result.status >= 200 || result.status == 101 {
			return result, err
		}
	}
}

func readHead(reader *bufio.Reader) (head, error) {
	result := head{length: -1}
	line, err := readLine(reader)
	if err != nil {
		return result, fmt.Errorf("no answer: %w", err)
	}
	version, rest, _ := strings.Cut(line, " ")
	code, _, _ := strings.Cut(rest, " ")
	result.status, err = strconv.Atoi(code)
	if err != nil || !strings.HasPrefix(version, "HTTP/1.") || len(code) != 3 || result.status < 100 {
		return result, fmt.Errorf("not an HTTP/1 answer: %.40q", line)
	}
	for {
		line, err = readLine(reader)
		if err != nil {
			return result, fmt.Errorf("the headers end too early: %w", err)
		}
		if line == "" {
			return result, nil
		}
		name, value, _ := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		switch strings.ToLower(name) {
		case "content-length":
			if result.length, err = strconv.ParseInt(value, 10, 64); err != nil || result.length < 0 {
				return result, fmt.Errorf("not a Content-Length: %.40q", value)
			}
		case "transfer-encoding":
			result.chunked = strings.EqualFold(value, "chunked")
		}
	}
}

// readBody returns at most bodyLimit bytes, and what was read so far together with an error.
func readBody(reader *bufio.Reader, h head) (string, error) {
	if h.chunked {
		return readChunks(reader)
	}
	limit := int64(bodyLimit)
	if h.length >= 0 {
		limit = min(limit, h.length)
	}
	body, err := io.ReadAll(io.LimitReader(reader, limit))
	return string(body), err
}

func readChunks(reader *bufio.Reader) (string, error) {
	var body strings.Builder
	for body.Len() < bodyLimit {
		line, err := readLine(reader)
		if err != nil {
			return body.String(), err
		}
		digits, _, _ := strings.Cut(line, ";")
		size, err := strconv.ParseInt(strings.TrimSpace(digits), 16, 64)
		if err != nil || size < 0 {
			return body.String(), fmt.Errorf("not the size of a chunk: %.40q", line)
		}
		if size == 0 {
			break
		}
		if _, err := io.CopyN(&body, reader, min(size, bodyLimit)); err != nil {
			return body.String(), err
		}
		if size <= bodyLimit {
			if _, err := readLine(reader); err != nil {
				return body.String(), err
			}
		}
	}
	return body.String(), nil
}

func readLine(reader *bufio.Reader) (string, error) {
	line, err := reader.ReadString('\n')
	return strings.TrimRight(line, "\r\n"), err
}
