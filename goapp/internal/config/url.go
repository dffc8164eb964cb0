package config

import (
	"errors"
	"net/url"
)

// httpURL makes a flag's function that keeps an address of scheme, host and path; a password has no place in one.
func httpURL(target **url.URL) func(string) error {
	return func(text string) error {
		parsed, err := url.Parse(text)
		switch {
		case err != nil:
			return err
		case parsed.Scheme != "http" && parsed.Scheme != "https":
			return errors.New("it must begin with http:// or https://")
		case parsed.Host == "":
			return errors.New("it has no host")
		case parsed.User != nil, parsed.RawQuery != "", parsed.Fragment != "":
			return errors.New("it must have no user, query or fragment")
		}
		*target = parsed
		return nil
	}
}
