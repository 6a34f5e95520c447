package sql

import (
	"errors"
	"math/rand/v2"
	"time"

	"github.com/lib/pq"
)

// How often a transaction is begun at most, and how long its longest pause may be. Of those that want one row at the
// same moment one gets through at a time, and no more than the pool has connections (20) are under way: with pauses
// that double from 1 ms on, all of them are done long before. Twenty tries are given up after four seconds at the latest.
const (
	maxTries = 20
	maxPause = 256 * time.Millisecond
)

// repeated runs a transaction again when PostgreSQL gave it up for another one's sake (dexidp/dex#4830). The pauses are
// random, so that those who collided do not meet again.
func repeated(run func() (err, cause error)) error {
	for try := 0; ; try++ {
		err, cause := run()
		if err == nil || try+1 == maxTries || !collided(errors.Join(err, cause)) {
			return err
		}
		time.Sleep(rand.N(min(time.Millisecond<<try, maxPause)))
	}
}

// collided tells whether it is another transaction's fault: 40001 serialization_failure, 40P01 deadlock_detected.
func collided(err error) bool {
	var answer *pq.Error
	return errors.As(err, &answer) && (answer.Code == "40001" || answer.Code == "40P01")
}

// note keeps what the database itself said: Dex's errors repeat its text and lose its code.
func (t *trans) note(err error) {
	if err != nil {
		t.cause = err
	}
}
