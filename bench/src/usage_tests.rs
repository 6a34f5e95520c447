use super::*;

#[test]
fn processor_time_is_that_of_the_user_and_of_the_kernel() {
    let stat = "42 (a (strange) name) S 1 42 42 0 -1 4194560 900 0 0 0 150 25 0 0 20 0 3 0 9 1 1";
    assert_eq!(ticks(stat), Some(175));
    assert_eq!(ticks("42 (cut"), None);
}

#[test]
fn memory_is_what_is_resident() {
    assert_eq!(resident("VmPeak:\t  900 kB\nVmRSS:\t  12 kB\n"), Some(12 * 1024));
    assert!(own_memory().unwrap() > 1024 * 1024);
}
