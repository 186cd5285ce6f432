package bootstrap

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strconv"
)

//go:embed migrations/*.sql
var embedded embed.FS

// Migrations returns the migrations of the schema arc.
func Migrations() fs.FS { return embedded }

// migration is one file migrations/NNNN_name.sql.
type migration struct {
	version  int
	name     string
	sql      string
	checksum string
}

var migrationFile = regexp.MustCompile(`^(\d{4})_([a-z0-9_]+)\.sql$`)

// loadMigrations reads the files in order. They must be numbered from 0001
// without a gap.
func loadMigrations(files fs.FS) ([]migration, error) {
	names, err := fs.Glob(files, "migrations/*.sql") // sorted
	if err != nil {
		return nil, err
	}
	var all []migration
	for _, file := range names {
		m := migrationFile.FindStringSubmatch(path.Base(file))
		if m == nil {
			return nil, fmt.Errorf("%s: name it NNNN_name.sql", file)
		}
		version, _ := strconv.Atoi(m[1]) // four digits
		if version != len(all)+1 {
			return nil, fmt.Errorf("%s: the next number is %04d", file, len(all)+1)
		}
		text, err := fs.ReadFile(files, file)
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(text)
		all = append(all, migration{version, m[2], string(text), hex.EncodeToString(sum[:])})
	}
	return all, nil
}
