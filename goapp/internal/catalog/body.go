package catalog

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"kit.local/goapp/internal/problem"
)

const maxBody = 16 << 10 // bytes; an item takes a few hundred

// readBody reads a request's body whole, or returns a too_large problem.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return nil, problem.New(problem.TooLarge, "the body must have at most %d bytes", tooLarge.Limit).Because(err)
	}
	if err != nil {
		return nil, problem.Gone(err)
	}
	return body, nil
}

// decode reads exactly one JSON object into a value, and no field that the value does not know.
func decode(body []byte, into any, example string) error {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(into)
	if err == nil {
		err = onlyOne(decoder)
	}
	if err != nil {
		return problem.New(problem.Invalid, "the body must be one JSON object such as %s", example).Because(err)
	}
	return nil
}

// onlyOne fails unless the input ends here.
func onlyOne(decoder *json.Decoder) error {
	switch _, err := decoder.Token(); {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return err
	}
	return errors.New("data after the first value")
}
