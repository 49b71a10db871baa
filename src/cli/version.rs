//! `trafficcop version`: the lines of `traefik version`, which scripts look at.

/// What releases of this series are called.
const CODENAME: &str = "whistle";

/// The answer, line by line.
pub(super) fn text() -> String {
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "x86" => "386",
        other => other,
    };
    [
        ("Version:", env!("CARGO_PKG_VERSION").to_owned()),
        ("Codename:", CODENAME.to_owned()),
        ("Rust version:", option_env!("TRAFFICCOP_RUSTC").unwrap_or("unknown").to_owned()),
        ("Built:", option_env!("TRAFFICCOP_BUILT").unwrap_or("unknown").to_owned()),
        ("OS/Arch:", format!("{}/{architecture}", std::env::consts::OS)),
    ]
    .map(|(name, value)| format!("{name:<14}{value}\n"))
    .concat()
}
