use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use devstack::pki::Pki;

#[test]
fn keys_are_the_owners_alone_and_the_authorities_differ() {
    let dir = tempfile::tempdir().unwrap();
    let pki = Pki::create(dir.path()).unwrap();
    for identity in
        [&pki.connector.server, &pki.connector.client, &pki.dex_admin.server, &pki.dex_admin.client]
    {
        let key = fs::read_to_string(&identity.key).unwrap();
        assert!(key.contains("PRIVATE KEY"));
        assert_eq!(fs::metadata(&identity.key).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(fs::read_to_string(&identity.cert).unwrap().contains("BEGIN CERTIFICATE"));
    }
    let authority = |path| fs::read_to_string(path).unwrap();
    assert_ne!(authority(&pki.connector.ca), authority(&pki.dex_admin.ca));
}
