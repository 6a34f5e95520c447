use super::*;

#[test]
fn an_answer_is_whole_or_not_there_yet() {
    let answer = b"HTTP/1.1 202 Accepted\r\nContent-Length: 4\r\n\r\nbody";
    for cut in 0..answer.len() {
        assert_eq!(parse(&answer[..cut]).unwrap(), None, "{cut}");
    }
    let (status, body) = parse(answer).unwrap().unwrap();
    assert_eq!((status, &answer[body]), (202, &b"body"[..]));
    assert!(parse(b"HTTP/1.1 200 OK\r\n\r\n").is_err(), "without a length it has no end");
}

#[test]
fn another_status_is_a_fault_that_tells_the_body() {
    let answer = Answer { status: 503, head: b"", body: b"too much" };
    assert!(answer.expect(202).unwrap_err().to_string().contains("too much"));
    assert_eq!(answer.expect(503).unwrap(), b"too much");
}
