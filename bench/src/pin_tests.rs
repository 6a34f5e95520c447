use super::*;

#[test]
fn the_first_processor_is_the_service_s_and_the_others_are_not() {
    let cores = Cores::of(&parse("2-4,7").unwrap()).unwrap();
    assert_eq!(cores, Cores { service: "2".to_owned(), callers: "3,4,7".to_owned() });
    assert_eq!(cores.all(), "2,3,4,7");
}

#[test]
fn broker_database_and_callers_are_apart_from_four_processors_on() {
    let of = |all: &str| Cores::of(&parse(all).unwrap()).unwrap();
    assert!(!of("0-2").has_others_apart());
    assert!(of("0-3").has_others_apart());
}

#[test]
fn one_processor_is_too_few() {
    assert!(Cores::of(&parse("0").unwrap()).is_err());
}

#[test]
fn the_kernel_s_list_is_found_in_its_status() {
    let status = "Name:\tbench\nCpus_allowed:\t3\nCpus_allowed_list:\t0-1\n";
    assert_eq!(parse(allowed(status).unwrap()).unwrap(), [0, 1]);
    assert!(allowed("Name:\tbench\n").is_err());
    assert!(parse("zero").is_err());
}
