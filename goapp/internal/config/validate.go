package config

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"time"
)

// validate reports every broken rule at once.
func (c Config) validate() error {
	broken := []error{notNegative("start-delay", c.StartDelay), notNegative("drain-delay", c.DrainDelay)}
	if strings.TrimSpace(c.Name) == "" {
		broken = append(broken, errors.New("name must not be empty"))
	}
	if _, _, err := net.SplitHostPort(c.Addr); err != nil {
		broken = append(broken, fmt.Errorf("addr must be host:port, such as :8080: %w", err))
	}
	if c.MaxItems < 1 {
		broken = append(broken, fmt.Errorf("max-items must be at least 1, not %d", c.MaxItems))
	}
	if c.ShutdownTimeout <= c.DrainDelay {
		broken = append(broken, fmt.Errorf("shutdown-timeout (%s) must be longer than drain-delay (%s), which it includes",
			c.ShutdownTimeout, c.DrainDelay))
	}
	if c.DownstreamTimeout <= 0 {
		broken = append(broken, fmt.Errorf("downstream-timeout must be above 0s, not %s", c.DownstreamTimeout))
	}
	return errors.Join(broken...)
}

func notNegative(name string, d time.Duration) error {
	if d < 0 {
		return fmt.Errorf("%s must not be negative, not %s", name, d)
	}
	return nil
}
