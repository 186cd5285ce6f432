package bootstrap

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/arc-framework/arc/services/raymond/internal/deps"
	"github.com/arc-framework/arc/services/raymond/internal/smoke"
)

func TestLoadMigrations(t *testing.T) {
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	tests := []struct {
		name  string
		files fstest.MapFS
		want  string
	}{
		{"in order", fstest.MapFS{"migrations/0002_b.sql": file("B"), "migrations/0001_a.sql": file("A")}, ""},
		{"gap", fstest.MapFS{"migrations/0001_a.sql": file("A"), "migrations/0003_c.sql": file("C")}, "the next number is 0002"},
		{"twice", fstest.MapFS{"migrations/0001_a.sql": file("A"), "migrations/0001_b.sql": file("B")}, "the next number is 0002"},
		{"name", fstest.MapFS{"migrations/first.sql": file("A")}, "name it NNNN_name.sql"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			all, err := loadMigrations(tt.files)
			if tt.want != "" {
				if err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("err %v, want %q", err, tt.want)
				}
				return
			}
			if err != nil || len(all) != 2 || all[0].name != "a" || all[1].version != 2 || all[1].sql != "B" || all[0].checksum == all[1].checksum {
				t.Errorf("%+v, %v", all, err)
			}
		})
	}
}

func TestOurMigrationsLoad(t *testing.T) {
	all, err := loadMigrations(Migrations())
	if err != nil || len(all) == 0 {
		t.Errorf("%d migrations, %v", len(all), err)
	}
}

// covers tells whether a subject with wildcards takes in another one.
func covers(pattern, subject string) bool {
	p, s := strings.Split(pattern, "."), strings.Split(subject, ".")
	for i, token := range p {
		switch {
		case token == ">":
			return len(s) > i
		case i >= len(s) || (token != "*" && token != s[i]):
			return false
		}
	}
	return len(p) == len(s)
}

// A stream over a subject of request/reply would answer in the place of the
// service.
func TestNoStreamTakesInRequests(t *testing.T) {
	if !covers("arc.reasoner.>", smoke.ReasonerSubject) || covers("arc.events.>", "arc.events") || !covers("a.*", "a.b") {
		t.Fatal("covers is wrong")
	}
	for _, stream := range PlatformStreams() {
		for _, subject := range stream.Subjects {
			if covers(subject, smoke.ReasonerSubject) {
				t.Errorf("%s takes in %s by %s", stream.Name, smoke.ReasonerSubject, subject)
			}
		}
		if stream.MaxAge == 0 || stream.MaxBytes == 0 {
			t.Errorf("%s has no limit", stream.Name)
		}
	}
}

func TestStagesFollowTheConfiguration(t *testing.T) {
	count := func(set *deps.Set) (n int) {
		for _, stage := range Stages(set) {
			n += len(stage)
		}
		return n
	}
	tests := []struct {
		name string
		set  deps.Set
		want int
	}{
		{"nothing", deps.Set{}, 0},
		{"sherlock alone", deps.Set{Sherlock: &deps.HTTP{}}, 0},
		{"oracle", deps.Set{Oracle: &deps.Postgres{}}, 2},
		{"all", deps.Set{Oracle: &deps.Postgres{}, Sonic: &deps.Redis{}, Flash: &deps.NATS{}}, 4},
	}
	for _, tt := range tests {
		if got := count(&tt.set); got != tt.want {
			t.Errorf("%s: %d steps, want %d", tt.name, got, tt.want)
		}
	}
}

func TestRecordedLeavesOutWhatRecords(t *testing.T) {
	got := recorded([]Item{{Kind: "stream"}, {Kind: "inventory"}, {Kind: "key"}, {Kind: "schema"}})
	if len(got) != 2 || got[0].Kind != "stream" || got[1].Kind != "schema" {
		t.Errorf("%+v", got)
	}
}
