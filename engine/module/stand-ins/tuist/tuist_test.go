package tuist

import (
	"slices"
	"testing"
)

type text struct {
	Compo
	lines []string
}

func (t *text) Render(ctx Context) { ctx.Lines(t.lines...) }

type indented struct {
	Compo
	child Component
}

func (i *indented) Render(ctx Context) {
	for _, line := range i.RenderChildResult(ctx, i.child).Lines {
		ctx.Line("  " + line)
	}
}

func TestATreeIsDrawnFromTopToBottom(t *testing.T) {
	tui := New(NewStdTerminal())
	first, second := &text{lines: []string{"a", "b"}}, &text{lines: []string{"c"}}
	tui.AddChild(first)
	tui.AddChild(&indented{child: second})
	tui.AddChild((*text)(nil)) // an absent part is left out
	if got, want := tui.RenderLines(), []string{"a", "b", "  c"}; !slices.Equal(got, want) {
		t.Errorf("drawn %q, not %q", got, want)
	}
	tui.RemoveChild(first)
	if got, want := tui.RenderLines(), []string{"  c"}; !slices.Equal(got, want) {
		t.Errorf("drawn %q, not %q", got, want)
	}
}

func TestAChildFitsIntoALine(t *testing.T) {
	parent := &text{}
	if got := parent.RenderChildInline(Context{}, &text{lines: []string{"a", "b"}}); got != "a b" {
		t.Errorf("drawn %q", got)
	}
}

// Work that is handed over while other work runs comes after it, in order, and never at the same time.
func TestWorkIsDoneInOrder(t *testing.T) {
	var order []int
	tui := New(nil)
	tui.Dispatch(func() {
		tui.Dispatch(func() { order = append(order, 2) })
		tui.Dispatch(func() { order = append(order, 3) })
		order = append(order, 1)
	})
	if !slices.Equal(order, []int{1, 2, 3}) {
		t.Errorf("done in order %v", order)
	}
}

func TestAScreenIsRefused(t *testing.T) {
	if err := New(nil).Exec(nil); err == nil {
		t.Error("lent a terminal that is not there")
	}
}
