package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestReadPassword(t *testing.T) {
	if got, err := readPassword("5f3a 'quoted\"$"); err != nil || got != "5f3a 'quoted\"$" {
		t.Errorf("got %q, %v", got, err)
	}
	tests := []struct{ password, want string }{
		{"", "POSTGRES_PASSWORD is not set"},
		{"pässwörd", "only printable ASCII"},
		{"two\nlines", "only printable ASCII"},
	}
	for _, test := range tests {
		_, err := readPassword(test.password)
		var mistake mistakeError
		if !errors.As(err, &mistake) || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: got %v, want one line with %q", test.password, err, test.want)
		}
	}
}

// The values are those of RFC 7677, section 3, as PostgreSQL stores them.
func TestVerifier(t *testing.T) {
	salt := []byte{0x5b, 0x6d, 0x99, 0x68, 0x9d, 0x12, 0x35, 0x8e, 0xec, 0xa0, 0x4b, 0x14, 0x12, 0x36, 0xfa, 0x81}
	want := "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:" +
		"wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
	if got, err := verifier("pencil", salt, 4096); err != nil || got != want {
		t.Errorf("got %s, %v; want %s", got, err, want)
	}
	first, _ := scramVerifier("pencil")
	second, _ := scramVerifier("pencil")
	if first == second || strings.Contains(first, "pencil") {
		t.Errorf("the salt is not random, or the password shows: %s %s", first, second)
	}
}

func TestLockVolumeLetsOneInstanceIn(t *testing.T) {
	dir := t.TempDir()
	lock, err := lockVolume(dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lockVolume(dir, 0); err == nil || !strings.Contains(err.Error(), "in use by another instance") {
		t.Errorf("a second instance got in: %v", err)
	}
	go func() {
		time.Sleep(200 * time.Millisecond)
		lock.Close()
	}()
	second, err := lockVolume(dir, 10*time.Second)
	if err != nil {
		t.Fatalf("the lock of an instance that is gone stays: %v", err)
	}
	second.Close()
}

func TestLockVolumeSaysWhoMustOwnIt(t *testing.T) {
	_, err := lockVolume(filepath.Join(t.TempDir(), "missing"), 0)
	var mistake mistakeError
	if !errors.As(err, &mistake) || !strings.Contains(err.Error(), "must belong to") {
		t.Errorf("got %v", err)
	}
}

func TestClusterVersion(t *testing.T) {
	dir := t.TempDir()
	if got, err := clusterVersion(dir); err != nil || got != "" {
		t.Errorf("empty: got %q, %v", got, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "PG_VERSION"), []byte("16\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := clusterVersion(dir); err != nil || got != "16" {
		t.Errorf("got %q, %v", got, err)
	}
	err := cluster{dir: dir}.prepare()
	var mistake mistakeError
	if !errors.As(err, &mistake) || !strings.Contains(err.Error(), "made by PostgreSQL 16, this image has 17") {
		t.Errorf("got %v", err)
	}
}

func TestRemoveStale(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "postmaster.pid")
	if err := os.WriteFile(file, []byte("12\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := removeStale(dir); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		t.Errorf("still there: %v", err)
	}
}

func TestMoveInPlace(t *testing.T) {
	dir := t.TempDir()
	draft := filepath.Join(dir, "pgdata.new")
	if err := os.MkdirAll(filepath.Join(draft, "base"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := moveInPlace(draft, filepath.Join(dir, "pgdata")); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "pgdata", "base")); err != nil {
		t.Error(err)
	}
}

func TestComplaintHidesStatements(t *testing.T) {
	output := "LOG:  starting\n2026-01-01 [7] ERROR:  role \"x\" is odd\n2026-01-01 [7] STATEMENT:  ALTER ROLE x PASSWORD 'SCRAM-SHA-256$x'\n"
	if got := complaint(output); got != `2026-01-01 [7] ERROR:  role "x" is odd` {
		t.Errorf("got %q", got)
	}
	if got := complaint("ALTER ROLE x PASSWORD 'SCRAM-SHA-256$x'"); strings.Contains(got, "SCRAM") {
		t.Errorf("got %q", got)
	}
}

func TestDatnameReadsWhatSingleUserModePrints(t *testing.T) {
	printed := "backend> \t 1: datname\t(typeid = 19, len = 64, typmod = -1, byval = f)\n\t----\n" +
		"\t 1: datname = \"postgres\"\t(typeid = 19)\n\t----\n\t 1: datname = \"arc\"\t(typeid = 19)\n"
	matches := datname.FindAllStringSubmatch(printed, -1)
	if len(matches) != 2 || matches[0][1] != "postgres" || matches[1][1] != "arc" {
		t.Errorf("got %q", matches)
	}
}
