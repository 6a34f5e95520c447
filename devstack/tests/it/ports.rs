use std::net::TcpListener;

use devstack::ports::{free, require_free};

#[test]
fn a_taken_port_is_named_with_its_part_and_its_variable() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let error = format!("{:#}", require_free("DEV_PORT_DEX", port).unwrap_err());
    assert!(error.contains(&port.to_string()), "{error}");
    assert!(error.contains("Dex"), "{error}");
    assert!(error.contains("DEV_PORT_DEX"), "{error}");

    drop(listener);
    require_free("DEV_PORT_DEX", port).unwrap();
}

#[test]
fn a_free_port_is_given_once() {
    let ports: std::collections::HashSet<u16> = (0..200).map(|_| free().unwrap()).collect();
    assert_eq!(ports.len(), 200);
}
