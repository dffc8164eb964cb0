package config

import (
	"crypto/sha256"
	"encoding/hex"
)

const fingerprintLength = 12 // hex digits: enough to tell two values apart, too few to keep a table of values by

// Secret is a string that prints as nothing, whatever prints it: its value is not exported.
type Secret struct{ value string }

// Set takes the value; it is half of flag.Value.
func (s *Secret) Set(value string) error {
	s.value = value
	return nil
}

// String hides the value, and whether there is one.
func (s Secret) String() string { return "" }

// GoString hides the value from %#v.
func (s Secret) GoString() string { return "config.Secret{}" }

// Fingerprint is the start of the value's SHA-256 in hex, or "" when it is not set.
func (s Secret) Fingerprint() string {
	if s.value == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(s.value))
	return hex.EncodeToString(sum[:])[:fingerprintLength]
}
