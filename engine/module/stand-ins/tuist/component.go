// Package tuist lays out a tree of components as lines of text.
//
// It stands in for github.com/vito/tuist, a terminal UI toolkit that not every Go
// module proxy serves. Dagger's dagql/idtui needs it in two ways.
// The final report, which --progress=report and dots print, is such a tree
// drawn once; that works here. The interactive UI (--progress=tty) is absent:
// starting it ends the program with a message that names the other modes.
//
// Written from Dagger's call sites; whatever only matters on a live screen
// (focus, redrawing, the mouse, the cursor, overlays) does nothing.
package tuist

import (
	"slices"
	"strings"

	uv "github.com/charmbracelet/ultraviolet"
)

// Component is anything that draws itself. Implementations embed Compo.
type Component interface {
	Render(Context)
	Update()
}

// Optional abilities of components. Nothing here makes use of them.
type (
	Interactive interface {
		Component
		HandleKeyPress(Context, uv.KeyPressEvent) bool
	}
	MouseEnabled interface {
		Component
		HandleMouse(Context, MouseEvent) bool
	}
	Mounter    interface{ OnMount(Context) }
	Dismounter interface{ OnDismount() }
	Focusable  interface{ SetFocused(Context, bool) }
	Hoverable  interface{ SetHovered(Context, bool) }
)

// MouseEvent is a mouse event and its place within a component.
type MouseEvent struct {
	uv.MouseEvent
	Row, Col int
}

// Context tells a component how much room it has and takes its lines. Zero
// sizes mean unknown.
type Context struct {
	Width, Height int

	lines *[]string
}

// Line adds a line to the component's output.
func (c Context) Line(line string) {
	c.Lines(line)
}

// Lines adds lines to the component's output.
func (c Context) Lines(lines ...string) {
	if c.lines != nil {
		*c.lines = append(*c.lines, lines...)
	}
}

// Resize is the same context with other sizes.
func (c Context) Resize(width, height int) Context {
	c.Width, c.Height = width, height
	return c
}

// ScreenHeight is the height of the screen. There is none.
func (c Context) ScreenHeight() int { return 0 }

// SetFocus would direct key presses to a component.
func (c Context) SetFocus(Component) {}

// Rendered is what a component drew.
type Rendered struct {
	Lines []string
}

// Compo is the part that all components share.
type Compo struct{}

// Update would ask for a redraw. Nothing is cached, so there is no need.
func (*Compo) Update() {}

// RenderChild draws child as part of the caller.
func (c *Compo) RenderChild(ctx Context, child Component) {
	ctx.Lines(c.RenderChildResult(ctx, child).Lines...)
}

// RenderChildInline draws child as a piece of a line.
func (c *Compo) RenderChildInline(ctx Context, child Component) string {
	return strings.Join(c.RenderChildResult(ctx, child).Lines, " ")
}

// RenderChildResult draws child by itself.
func (*Compo) RenderChildResult(ctx Context, child Component) Rendered {
	var res Rendered
	ctx.lines = &res.Lines
	child.Render(ctx)
	return res
}

// Container draws components below each other.
type Container struct {
	Compo
	Children []Component
}

// AddChild adds a component at the end.
func (c *Container) AddChild(child Component) {
	c.Children = append(c.Children, child)
}

// RemoveChild takes a component out.
func (c *Container) RemoveChild(child Component) {
	c.Children = slices.DeleteFunc(c.Children, func(other Component) bool { return other == child })
}

func (c *Container) Render(ctx Context) {
	for _, child := range c.Children {
		c.RenderChild(ctx, child)
	}
}
