// Package teav1 would show a Bubble Tea v1 model, such as a form, within tuist.
//
// It stands in for github.com/vito/tuist/teav1, which not every Go module
// proxy serves. There is no terminal UI in this build to show a form in, so a
// form is cancelled as soon as someone waits for it.
package teav1

import (
	"fmt"
	"os"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/vito/tuist"
)

// Wrap is a model as a component. It draws nothing.
type Wrap struct {
	tuist.Compo
	model tea.Model
}

// New wraps a model.
func New(model tea.Model) *Wrap { return &Wrap{model: model} }

// OnQuit calls done when the user is through with the model: at once, as if
// they had pressed Ctrl-C.
func (w *Wrap) OnQuit(done func()) {
	fmt.Fprintln(os.Stderr, "Cannot ask: the interactive terminal UI is not part of this build. Use --progress=plain.")
	w.model.Update(tea.KeyMsg{Type: tea.KeyCtrlC})
	done()
}

func (*Wrap) Render(tuist.Context) {}
