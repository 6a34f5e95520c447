use std::task::Waker;

use super::*;
use crate::ws::narrow::Narrow;

fn context() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

fn open(line: &Line<Narrow>, space: usize) {
    line.lock().half.space = space;
}

#[test]
fn what_is_not_taken_is_kept_and_nothing_passes_it() {
    let line = Line::new(Narrow { space: 3, ..Narrow::default() });
    assert!(line.put(&Bytes::from_static(b"ab")));
    assert!(!line.put(&Bytes::from_static(b"cdef")), "one byte of it is taken");
    assert!(line.is_blocked());
    open(&line, 2);
    assert!(!line.put(&Bytes::from_static(b"gh")), "although there is space again");
    assert!(line.poll_put(&mut context(), b"ij").is_pending(), "not before all that is kept");
    open(&line, 4);
    assert!(matches!(line.poll_put(&mut context(), b"ij"), Poll::Ready(Ok(2))), "all or nothing");
    assert!(line.poll_flush(&mut context()).is_pending());
    open(&line, 9);
    assert!(matches!(line.poll_flush(&mut context()), Poll::Ready(Ok(()))));
    assert!(!line.is_blocked());
    assert_eq!(line.parts().0.taken, b"abcdefghij");
}

#[test]
fn a_line_that_is_lost_takes_nothing_and_says_so() {
    let line = Line::new(Narrow { is_closed: true, ..Narrow::default() });
    assert!(!line.is_blocked(), "nobody has noticed");
    assert!(!line.put(&Bytes::from_static(b"ab")));
    assert!(line.is_blocked(), "whoever owns the socket has to look");
    assert!(!line.put(&Bytes::from_static(b"cd")));
    let Poll::Ready(Err(error)) = line.poll_flush(&mut context()) else { panic!("it waits") };
    assert_eq!(error.kind(), ErrorKind::BrokenPipe);
    assert!(matches!(line.poll_put(&mut context(), b"ef"), Poll::Ready(Err(_))));
    assert!(line.parts().1.is_empty(), "nothing is kept for nobody");
}

#[test]
fn what_is_kept_when_the_line_is_closed_is_given_up() {
    let line = Line::new(Narrow { space: 1, ..Narrow::default() });
    assert!(!line.put(&Bytes::from_static(b"ab")));
    assert!(line.poll_shutdown(&mut context()).is_ready());
    assert!(!line.put(&Bytes::from_static(b"cd")));
    let (half, rest) = line.parts();
    assert_eq!((half.taken.as_slice(), rest.len()), (b"a".as_slice(), 0));
}
