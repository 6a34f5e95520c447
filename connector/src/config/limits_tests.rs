use clap::Parser;

use super::*;

#[derive(Debug, Parser)]
struct Program {
    #[command(flatten)]
    limits: LimitsArgs,
}

fn parse(arguments: &[&str]) -> Result<LimitsArgs, String> {
    let arguments = std::iter::once(&"program").chain(arguments);
    Program::try_parse_from(arguments)
        .map(|program| program.limits)
        .map_err(|error| error.to_string())
}

#[test]
fn by_default_the_documented_limits_hold() {
    let args = parse(&[]).unwrap();
    let number = |number| NonZeroU32::new(number).unwrap();
    assert_eq!(
        args.settings(),
        LimitSettings {
            network_per_minute: number(120),
            network_burst: number(60),
            coarse_network_per_minute: number(600),
            name_per_minute: number(120),
        }
    );
    assert_eq!(args.limit_sprayed_names, number(15));
    assert_eq!(args.trusted_proxy_cidrs, TrustedProxies::default());
}

#[test]
fn each_option_sets_its_own_limit() {
    let args = parse(&[
        "--limit-network-per-minute=1",
        "--limit-network-burst=2",
        "--limit-coarse-network-per-minute=3",
        "--limit-name-per-minute=1000000",
        "--limit-sprayed-names=10000",
        "--trusted-proxy-cidrs=10.0.0.0/8",
    ])
    .unwrap();
    let LimitSettings {
        network_per_minute,
        network_burst,
        coarse_network_per_minute,
        name_per_minute,
    } = args.settings();
    let numbers = [network_per_minute, network_burst, coarse_network_per_minute, name_per_minute];
    assert_eq!(numbers.map(NonZeroU32::get), [1, 2, 3, 1_000_000]);
    assert_eq!(args.limit_sprayed_names.get(), 10_000);
    assert_eq!(args.trusted_proxy_cidrs, TrustedProxies::parse("10.0.0.0/8").unwrap());
}

#[test]
fn what_is_out_of_range_is_refused_with_the_name_of_the_option() {
    for (option, most) in [
        ("--limit-network-per-minute", 1_000_000),
        ("--limit-network-burst", 1_000_000),
        ("--limit-coarse-network-per-minute", 1_000_000),
        ("--limit-name-per-minute", 1_000_000),
        ("--limit-sprayed-names", 10_000),
    ] {
        for value in ["0".to_owned(), (most + 1).to_string(), "many".to_owned(), String::new()] {
            let error = parse(&[&format!("{option}={value}")]).unwrap_err();
            assert!(error.contains(option), "{error}");
        }
        assert!(parse(&[&format!("{option}={most}")]).is_ok());
    }
    let error = parse(&["--trusted-proxy-cidrs=10.0.0.0/8,proxy"]).unwrap_err();
    assert!(error.contains("--trusted-proxy-cidrs"), "{error}");
    assert!(error.contains("\"proxy\" is not a network"), "{error}");
}
