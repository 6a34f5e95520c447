//! Connection strings that hold a password, `scheme://user:password@host:port/…`: what is wrong with one,
//! told without showing it.

/// The hint for whoever gave an address that cannot be parsed.
pub const HINT: &str = "in a user name or password, characters such as / ? # @ : % must be \
                        percent-encoded";

/// Whether a part of the password is taken for something else, because it holds `/`, `?` or `#` as they
/// are: they end the part of an address that a password can be in (RFC 3986 §3.2). What follows would
/// be looked for as a host or a database, and shown.
#[must_use]
pub fn password_is_cut(address: &str) -> bool {
    let Some((_, rest)) = address.split_once("://") else { return false };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at(end);
    let (before, fragment) = rest.split_once('#').unwrap_or((rest, ""));
    let (path, query) = before.split_once('?').unwrap_or((before, ""));
    let mut names = query.split('&').filter_map(|parameter| parameter.split('=').next());
    // Nothing but a value of a parameter can have an `@` behind the host.
    [path, fragment].iter().any(|part| part.contains('@'))
        || names.any(|name| name.contains('@'))
        || (!authority.contains('@') && rest.contains('@'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_that_ends_early_is_found_and_no_other_address_is() {
        for address in [
            "postgres://u:1/2@h:5432/db",
            "postgres://u:1?2@h/db",
            "postgres://u:1#2@h/db",
            "mongodb://u:p@a/b@h:27017/?x=1",
            "postgres://u:p@a?b@h/db",
            "postgres://u:p@a#b@h/db",
        ] {
            assert!(password_is_cut(address), "{address}");
        }
        for address in [
            "postgres://u:p@h:5432/db?sslmode=require",
            "postgres://u:p@q@h/db",
            "postgres://u:%2F@h/db?application_name=a@b",
            "mongodb://h1:1,h2:2/?replicaSet=rs0",
            "postgres:///db",
            "h:1",
        ] {
            assert!(!password_is_cut(address), "{address}");
        }
    }
}
