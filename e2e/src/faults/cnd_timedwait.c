/* librdkafka waits by cnd_timedwait until a time of day. libfaketime gives it a faked one to start from, but does not
 * know this function: with a clock that is ahead every wait takes so much longer. pthread_cond_timedwait it knows.
 * In glibc both take the same objects. */

#include <errno.h>
#include <pthread.h>
#include <threads.h>

int cnd_timedwait(cnd_t *condition, mtx_t *mutex, const struct timespec *deadline)
{
	switch (pthread_cond_timedwait((pthread_cond_t *)condition, (pthread_mutex_t *)mutex, deadline)) {
	case 0:
		return thrd_success;
	case ETIMEDOUT:
		return thrd_timedout;
	default:
		return thrd_error;
	}
}
