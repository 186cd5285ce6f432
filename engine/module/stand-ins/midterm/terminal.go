// Package midterm is a small virtual terminal: bytes of a program's output go
// in, rows of styled text come out.
//
// It stands in for github.com/vito/midterm, which not every Go module
// proxy serves. It has only what Dagger's dagql/idtui (log views) and util/scrub
// use, written from those call sites. Left out: scroll regions, the alternate
// screen, double-width cells (every rune takes one cell), drawing search hits.
package midterm

import (
	"bytes"
	"slices"
	"unicode/utf8"
)

const (
	tabStop    = 8
	maxColumn  = 999  // furthest an escape sequence may move in an unbounded row
	maxPending = 4096 // longest unfinished escape sequence worth waiting for
)

// Terminal is a terminal as tall as what was written to it. It is not safe for
// concurrent use.
type Terminal struct {
	// Content has the text of each row in use. Trailing empty rows are absent.
	Content [][]rune

	// AutoResizeX says that rows may be of any length; otherwise text wraps
	// at Width.
	AutoResizeX bool
	Width       int

	// SearchMatches are the hits of the last Search.
	SearchMatches []SearchMatch

	rows    []rowInfo // parallel to Content
	y, x    int       // cursor; may lie outside Content
	savedY  int
	savedX  int
	style   int            // current entry of palette
	palette []Format       // every format seen; 0 is Reset
	styleOf map[Format]int // index into palette
	pending []byte         // unfinished rune or escape sequence
}

type rowInfo struct {
	styles  []int32 // palette entry of each cell, as far as any is not 0
	wrapped bool    // the next row continues this one
}

// NewAutoResizingTerminal returns an empty terminal that grows both ways.
func NewAutoResizingTerminal() *Terminal {
	return &Terminal{
		AutoResizeX: true,
		palette:     []Format{Reset},
		styleOf:     map[Format]int{Reset: 0},
	}
}

// UsedHeight is the number of rows up to the last one with anything on it.
func (t *Terminal) UsedHeight() int {
	return len(t.Content)
}

// Write feeds output to the terminal. A rune or escape sequence may be split
// across writes.
func (t *Terminal) Write(p []byte) (int, error) {
	data := p
	if len(t.pending) > 0 {
		data = append(t.pending, p...)
		t.pending = nil
	}
	for len(data) > 0 {
		n := t.step(data)
		if n == 0 && len(data) < maxPending {
			t.pending = bytes.Clone(data)
			break
		}
		data = data[max(n, 1):]
	}
	return len(p), nil
}

// step consumes one rune, control character or escape sequence from data and
// says how many bytes that was: 0 if the rest of it is still to come.
func (t *Terminal) step(data []byte) int {
	switch c := data[0]; c {
	case 0x1b:
		return t.escape(data)
	case '\n', '\v', '\f': // programs that write logs expect LF to do CR as well
		t.y, t.x = t.y+1, 0
	case '\r':
		t.x = 0
	case '\b':
		t.moveTo(t.y, t.x-1)
	case '\t':
		t.x = (t.x/tabStop + 1) * tabStop
		if t.bounded() {
			t.x = min(t.x, t.Width-1)
		}
	default:
		if c < 0x20 || c == 0x7f {
			return 1
		}
		if !utf8.FullRune(data) {
			return 0
		}
		r, n := utf8.DecodeRune(data)
		t.put(r)
		return n
	}
	return 1
}

// put writes r at the cursor and advances.
func (t *Terminal) put(r rune) {
	if t.bounded() && t.x >= t.Width {
		t.grow(t.y)
		t.rows[t.y].wrapped = true
		t.y, t.x = t.y+1, 0
	}
	t.grow(t.y)
	line := t.Content[t.y]
	for len(line) < t.x {
		line = append(line, ' ')
	}
	if t.x < len(line) {
		line[t.x] = r
	} else {
		line = append(line, r)
	}
	t.Content[t.y] = line

	row := &t.rows[t.y]
	if t.x < len(row.styles) {
		row.styles[t.x] = int32(t.style)
	} else if t.style != 0 {
		row.styles = append(row.styles, make([]int32, t.x-len(row.styles))...)
		row.styles = append(row.styles, int32(t.style))
	}
	t.x++
}

// grow makes row y exist.
func (t *Terminal) grow(y int) {
	for len(t.Content) <= y {
		t.Content = append(t.Content, nil)
		t.rows = append(t.rows, rowInfo{})
	}
}

// bounded says whether text wraps.
func (t *Terminal) bounded() bool {
	return !t.AutoResizeX && t.Width > 0
}

// moveTo puts the cursor at a place, or at the nearest one within reach.
func (t *Terminal) moveTo(y, x int) {
	right := max(maxColumn, t.x)
	if t.bounded() {
		right = t.Width - 1
	}
	t.y = min(max(y, 0), max(t.y, len(t.Content)))
	t.x = min(max(x, 0), right)
}

// eraseRow blanks cells [from, to) of row y; a negative to means the row's end.
func (t *Terminal) eraseRow(y, from, to int) {
	if y >= len(t.Content) {
		return
	}
	line, row := t.Content[y], &t.rows[y]
	if to < 0 || to >= len(line) {
		t.Content[y] = line[:min(from, len(line))]
		row.styles = row.styles[:min(from, len(row.styles))]
		row.wrapped = false
		return
	}
	for i := from; i < to; i++ {
		line[i] = ' '
		if i < len(row.styles) {
			row.styles[i] = 0
		}
	}
}

// trim drops trailing empty rows, so that UsedHeight stays exact.
func (t *Terminal) trim() {
	n := len(t.Content)
	for n > 0 && len(t.Content[n-1]) == 0 {
		n--
	}
	t.Content, t.rows = t.Content[:n], t.rows[:n]
}

// ResizeX sets a fixed width and folds the text anew to fit it.
func (t *Terminal) ResizeX(width int) {
	if width < 1 || (!t.AutoResizeX && width == t.Width) {
		return
	}
	t.AutoResizeX, t.Width = false, width

	oldContent, oldRows := t.Content, t.rows
	t.Content, t.rows = nil, nil
	cursorY, cursorX := -1, t.x
	for y := 0; y < len(oldContent); {
		// Join the rows that one line of output was folded into.
		var line []rune
		var styles []int32
		cursor := -1 // the cursor's place in line, if it is there
		for more := true; more && y < len(oldContent); y++ {
			if y == t.y {
				cursor = len(line) + t.x
			}
			if row := oldRows[y]; len(row.styles) > 0 {
				styles = append(styles, make([]int32, len(line)-len(styles))...)
				styles = append(styles, row.styles...)
			}
			line = append(line, oldContent[y]...)
			more = oldRows[y].wrapped
		}
		// Fold the line at the new width, into rows that share no memory.
		first := len(t.Content)
		for from := 0; ; from += width {
			to := min(from+width, len(line))
			row := rowInfo{wrapped: to < len(line)}
			if from < len(styles) {
				row.styles = slices.Clone(styles[from:min(to, len(styles))])
			}
			t.Content = append(t.Content, slices.Clone(line[from:to]))
			t.rows = append(t.rows, row)
			if !row.wrapped {
				break
			}
		}
		if cursor >= 0 {
			last := len(t.Content) - 1 - first
			cursorY = min(cursor/width, last)
			cursorX = min(cursor-cursorY*width, width)
			cursorY += first
		}
	}
	if cursorY < 0 { // below the text
		cursorY = len(t.Content) + max(t.y-len(oldContent), 0)
	}
	t.y, t.x = cursorY, cursorX
}
