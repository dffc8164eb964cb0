// Command receiver takes Alertmanager's webhook calls and keeps the newest of them in memory, each with the moment at which it came.
//
// POST /alerts takes a call; GET /deliveries answers with all that are kept, oldest first; GET /ready answers as long as it serves.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

const largest = 1 << 20 // bytes of a call

// Delivery is one call.
type Delivery struct {
	Received time.Time       `json:"received"`
	Message  json.RawMessage `json:"message"`
}

// Book keeps the newest deliveries.
type Book struct {
	most  int
	mutex sync.Mutex
	kept  []Delivery
}

// Add keeps a delivery, and forgets the oldest one when there are too many.
func (b *Book) Add(d Delivery) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	b.kept = append(b.kept, d)
	if over := len(b.kept) - b.most; over > 0 {
		b.kept = append([]Delivery(nil), b.kept[over:]...)
	}
}

// All is a copy, oldest first, never nil.
func (b *Book) All() []Delivery {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return append([]Delivery{}, b.kept...)
}

func main() {
	addr := flag.String("addr", ":8080", "host:port to listen on")
	most := flag.Int("keep", 1000, "how many deliveries to keep")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	log := slog.New(slog.NewJSONHandler(os.Stdout, nil))
	if err := serve(ctx, log, *addr, &Book{most: *most}); err != nil {
		log.Error("ended", "error", err)
		os.Exit(1)
	}
}

func serve(ctx context.Context, log *slog.Logger, addr string, book *Book) error {
	server := &http.Server{Addr: addr, Handler: routes(log, book), ReadHeaderTimeout: 5 * time.Second}
	ended := make(chan error, 1)
	go func() { ended <- server.ListenAndServe() }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	within, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	return server.Shutdown(within)
}

func routes(log *slog.Logger, book *Book) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /alerts", func(w http.ResponseWriter, r *http.Request) { take(w, r, log, book) })
	mux.HandleFunc("GET /deliveries", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(map[string]any{"deliveries": book.All()}); err != nil {
			log.Warn("answer not sent", "error", err)
		}
	})
	mux.HandleFunc("GET /ready", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	return mux
}

// take answers 400 to what is no JSON, which Alertmanager does not send again, and 413 to what is too large.
func take(w http.ResponseWriter, r *http.Request, log *slog.Logger, book *Book) {
	received := time.Now().UTC()
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, largest))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		http.Error(w, "too large", http.StatusRequestEntityTooLarge)
	case err != nil || !json.Valid(body):
		http.Error(w, "no JSON", http.StatusBadRequest)
	default:
		book.Add(Delivery{received, body})
		log.Info("delivered", "bytes", len(body))
		w.WriteHeader(http.StatusNoContent)
	}
}
