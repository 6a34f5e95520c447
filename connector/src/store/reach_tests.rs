use super::*;

#[test]
fn an_address_that_cannot_be_read_says_which_part_and_nothing_of_it() {
    for (dsn, fault) in [
        ("", InvalidDsn::Scheme),
        ("mysql://u:canary@db/accounts", InvalidDsn::Scheme),
        ("db:5432", InvalidDsn::Scheme),
        ("postgres://u:can/ary@db:5432/accounts", InvalidDsn::Password),
        ("postgres://u:12?canary@db/accounts", InvalidDsn::Password),
        ("postgres://u:12#canary@db/accounts", InvalidDsn::Password),
        ("postgres://u:canary@db:port/accounts", InvalidDsn::Port),
        ("postgres://u:canary@db:99999/accounts", InvalidDsn::Port),
        ("postgres://u:canary@d b/accounts", InvalidDsn::Host),
        ("postgres://u:canary@[::1/accounts", InvalidDsn::Host),
        ("postgres://u:canary@/accounts", InvalidDsn::Host),
        ("postgres://u:canary@db/accounts?sslmode=canary", InvalidDsn::Parameter("sslmode")),
        ("postgres://u:canary@db/accounts?port=canary", InvalidDsn::Parameter("port")),
        ("postgres://u:canary%ff@db/accounts", InvalidDsn::Encoding),
    ] {
        let error = parse(&dsn.to_owned().into()).unwrap_err();
        assert_eq!(error, fault, "{dsn}");
        assert!(!error.to_string().contains("canary"), "{dsn}: {error}");
    }
}

#[test]
fn a_password_may_hold_everything_that_is_encoded_and_unknown_parameters_do_no_harm() {
    for dsn in [
        "postgres://u:%2F%3F%23%40%3A%25@db:5432/accounts?sslmode=require",
        "postgres://u:p@q:r@db/accounts",
        "postgres:///accounts?host=/run/postgresql",
        "postgresql://db/accounts?connect_timeout=10&sslmode=disable",
    ] {
        assert!(parse(&dsn.to_owned().into()).is_ok(), "{dsn}");
    }
}
