//! Where Amazon's services are: the region, and the addresses that the settings, variables and files of its own clients name.

use std::path::PathBuf;

/// What a variable says, if anything.
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The region of the settings, of the variables, or of the profile.
pub(crate) fn region(stated: &str) -> Option<String> {
    let stated = Some(stated.to_owned()).filter(|region| !region.is_empty());
    let named = stated.or_else(|| variable("AWS_REGION")).or_else(|| variable("AWS_DEFAULT_REGION"));
    named.or_else(|| {
        let file = variable("AWS_CONFIG_FILE").map(PathBuf::from).or_else(|| Some(home()?.join("config")))?;
        let profile = profile();
        let heading = if profile == "default" { profile } else { format!("profile {profile}") };
        entry(&std::fs::read_to_string(file).ok()?, &heading, "region")
    })
}

/// Where a service is reached: `AWS_ENDPOINT_URL_ECS`, `AWS_ENDPOINT_URL`, or Amazon's own address.
pub(crate) fn endpoint(service: &str, region: &str) -> String {
    let own = variable(&format!("AWS_ENDPOINT_URL_{}", service.to_ascii_uppercase()));
    own.or_else(|| variable("AWS_ENDPOINT_URL")).unwrap_or_else(|| {
        let domain = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
        format!("https://{service}.{region}.{domain}")
    })
}

/// The folder of Amazon's clients.
pub(crate) fn home() -> Option<PathBuf> {
    Some(PathBuf::from(variable("HOME")?).join(".aws"))
}

pub(crate) fn profile() -> String {
    variable("AWS_PROFILE").unwrap_or_else(|| "default".to_owned())
}

/// A value below a heading of such a file.
pub(crate) fn entry(file: &str, heading: &str, key: &str) -> Option<String> {
    let mut is_there = false;
    for line in file.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            is_there = name.trim() == heading;
        } else if is_there
            && let Some((name, value)) = line.split_once('=')
            && name.trim() == key
        {
            return Some(value.trim().to_owned());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files() {
        let file = "[default]\nregion = eu-west-1\n; x\n[profile other]\n  region=us-east-2  \n";
        assert_eq!(entry(file, "default", "region").as_deref(), Some("eu-west-1"));
        assert_eq!(entry(file, "profile other", "region").as_deref(), Some("us-east-2"));
        assert_eq!((entry(file, "other", "region"), entry(file, "default", "x")), (None, None));
    }
}
