package catalog

import "sync/atomic"

// phase is a stage of a server's life; it only moves forward.
type phase int32

const (
	starting phase = iota // nothing is served yet
	serving               // ready for traffic
	draining              // still serving, but asking for no more
)

// lifecycle is the server's own record of its phase, read by the probes.
type lifecycle struct{ current atomic.Int32 }

func (l *lifecycle) enter(p phase) { l.current.Store(int32(p)) }

func (l *lifecycle) phase() phase { return phase(l.current.Load()) }
