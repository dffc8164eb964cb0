package faults

import (
	"context"
	"log/slog"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"kit.local/goapp/internal/problem"
)

func quiet(t *testing.T) *Set {
	t.Helper()
	set := NewSet(slog.New(slog.DiscardHandler), func(int) { t.Error("exit was called") })
	t.Cleanup(set.Close)
	return set
}

func inject(t *testing.T, set *Set, f Fault) {
	t.Helper()
	if err := set.Inject(t.Context(), f); err != nil {
		t.Fatal(err)
	}
}

// A fault is active for exactly its lease.
func TestLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		set := quiet(t)
		inject(t, set, Fault{Kind: NotReady, Lease: Duration(time.Minute)})
		time.Sleep(time.Minute - time.Nanosecond)
		before := set.NotReady()
		time.Sleep(time.Nanosecond)
		synctest.Wait()

		if after := set.NotReady(); !before || after {
			t.Errorf("active before its end: %v, after: %v", before, after)
		}
	})
}

// A second fault of a kind takes the first one's place: its lease counts alone.
func TestReplace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		set := quiet(t)
		inject(t, set, Fault{Kind: NotReady, Lease: Duration(time.Minute)})
		time.Sleep(30 * time.Second)
		inject(t, set, Fault{Kind: NotReady, Lease: Duration(time.Minute)})
		time.Sleep(45 * time.Second)

		if got := set.Active(); len(got) != 1 || got[0]["left"] != 15.0 {
			t.Errorf("active = %v, want 15 s left", got)
		}
	})
}

// A delay lasts as long as it says, probes pass it by, and a client that leaves does not wait.
func TestDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		set := quiet(t)
		inject(t, set, Fault{Kind: Delay, Lease: Duration(time.Hour), Duration: Duration(time.Second)})
		took := func(ctx context.Context, probe bool) (time.Duration, error) {
			start := time.Now()
			err := set.Hold(ctx, probe)
			return time.Since(start), err
		}

		if got, err := took(t.Context(), false); err != nil || got != time.Second {
			t.Errorf("request held for %s, err = %v", got, err)
		}
		if got, err := took(t.Context(), true); err != nil || got != 0 {
			t.Errorf("probe held for %s, err = %v", got, err)
		}
		impatient, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if got, err := took(impatient, false); err == nil || got != time.Millisecond {
			t.Errorf("impatient request held for %s, err = %v", got, err)
		}
	})
}

// Of many requests the share that was asked for fails.
func TestRate(t *testing.T) {
	set := quiet(t)
	inject(t, set, Fault{Kind: Error, Lease: Duration(time.Minute), Rate: 0.3, Status: 500})
	failed := 0
	for range 10000 {
		if _, fails := set.Fails(false); fails {
			failed++
		}
	}

	if failed < 2700 || failed > 3300 { // 6.5 standard deviations
		t.Errorf("%d of 10000 failed, want about 3000", failed)
	}
}

// A crash comes after its time, with status 3; one that is healed in time does not.
func TestCrash(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var codes []int
		set := NewSet(slog.New(slog.DiscardHandler), func(code int) { codes = append(codes, code) })
		t.Cleanup(set.Close)
		inject(t, set, Fault{Kind: Crash, Lease: Duration(time.Minute), After: Duration(2 * time.Second)})
		set.Crash()
		time.Sleep(time.Second)
		if err := set.Heal("crash"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		inject(t, set, Fault{Kind: Crash, Lease: Duration(time.Minute), After: Duration(2 * time.Second)})
		set.Crash()
		time.Sleep(2 * time.Second)
		synctest.Wait()

		if len(codes) != 1 || codes[0] != 3 {
			t.Errorf("exit codes = %v, want one 3", codes)
		}
	})
}

// A leak takes memory at its pace and gives it back when it ends.
func TestLeak(t *testing.T) {
	inUse := func() uint64 {
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		return stats.HeapInuse >> 20 // MiB
	}
	synctest.Test(t, func(t *testing.T) {
		set := quiet(t)
		before := inUse()
		inject(t, set, Fault{Kind: Leak, Lease: Duration(MaxLease), MiBPerSecond: 64})
		time.Sleep(2*time.Second + time.Millisecond)
		synctest.Wait()
		during := inUse()
		set.Close()

		if after := inUse(); during < before+127 || after > before+32 {
			t.Errorf("MiB in use: %d before, %d after two seconds at 64 MiB/s, %d when it ended", before, during, after)
		}
	})
}

// Closing ends every fault and lets none in.
func TestClose(t *testing.T) {
	set := quiet(t)
	inject(t, set, Fault{Kind: Hang, Lease: Duration(MaxLease)})

	set.Close()

	if got := set.Active(); len(got) != 0 {
		t.Errorf("active = %v", got)
	}
	err := set.Inject(t.Context(), Fault{Kind: Hang, Lease: Duration(MaxLease)})
	if err == nil || problem.From(err).Code != problem.Unavailable {
		t.Errorf("err = %v, want unavailable", err)
	}
}

// No set is a set without faults.
func TestNilSet(t *testing.T) {
	var set *Set
	set.Close()
	_, fails := set.Fails(true)

	if fails || set.NotReady() || set.Hold(t.Context(), true) != nil || set.Depend(t.Context()) != nil {
		t.Error("nil has faults")
	}
}
