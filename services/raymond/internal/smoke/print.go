package smoke

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
)

// Table writes the report for people: a row for each check, and a last line.
func (r Report) Table(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(t, "SERVICE\tCHECK\tRESULT\tMS\tMESSAGE")
	failed := 0
	for _, c := range r.Checks {
		result := "ok"
		if !c.OK {
			result = "FAILED"
			failed++
		}
		_, _ = fmt.Fprintf(t, "%s\t%s\t%s\t%.1f\t%s\n", c.Service, c.Check, result, c.MS, c.Message)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if failed > 0 {
		_, err := fmt.Fprintf(w, "%d of %d checks failed\n", failed, len(r.Checks))
		return err
	}
	_, err := fmt.Fprintf(w, "all %d checks passed\n", len(r.Checks))
	return err
}

// JSON writes the report as one indented object.
func (r Report) JSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}
