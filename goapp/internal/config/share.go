package config

import (
	"errors"
	"strconv"
)

// Share is a number from 0 to 1, of which never and always are the ends.
type Share float64

// Set reads a word or a number; it is half of flag.Value.
func (s *Share) Set(text string) error {
	switch text {
	case "always":
		*s = 1
		return nil
	case "never":
		*s = 0
		return nil
	}
	number, err := strconv.ParseFloat(text, 64)
	if err != nil || !(number >= 0 && number <= 1) { // the negation is for NaN
		return errors.New("it must be always, never or a number from 0 to 1")
	}
	*s = Share(number)
	return nil
}

// String writes what Set reads.
func (s Share) String() string {
	switch s {
	case 1:
		return "always"
	case 0:
		return "never"
	}
	return strconv.FormatFloat(float64(s), 'g', -1, 64)
}
