package postgres

import "time"

// Impatient has readers give a server less time to answer.
func (s *Source) Impatient(silence, patience time.Duration) {
	s.silence, s.patience = silence, patience
}
