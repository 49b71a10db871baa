//! Who sends: the attributes of this process, as OpenTelemetry's conventions name them.

use std::collections::BTreeMap;

use crate::proto::Message;

/// See the module; encoded once.
#[derive(Clone)]
pub(crate) struct Resource(Vec<u8>);

impl Resource {
    /// What the user says goes before what we found out, and the settings before `OTEL_RESOURCE_ATTRIBUTES`.
    pub(crate) fn new(service: &str, given: &BTreeMap<String, String>) -> Self {
        let mut texts: BTreeMap<String, String> = found().collect();
        let variable = std::env::var("OTEL_RESOURCE_ATTRIBUTES").unwrap_or_default();
        let pairs = variable.split(',').filter_map(|pair| pair.split_once('='));
        texts.extend(pairs.map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned())));
        texts.insert("service.name".to_owned(), service.to_owned());
        texts.insert("service.version".to_owned(), env!("CARGO_PKG_VERSION").to_owned());
        texts.extend(given.clone());
        let mut message = Message::default();
        for (name, value) in &texts {
            message.text_attribute(1, name, value);
        }
        message.int_attribute(1, "process.pid", i64::from(std::process::id()));
        // Arguments may hold secrets; only the program's name is told.
        message.attribute(1, "process.command_args", |out| {
            out.texts(std::env::args().take(1).collect::<Vec<_>>().iter().map(String::as_str));
        });
        Self(message.finish())
    }

    pub(crate) fn write(&self, message: &mut Message, field: u64) {
        message.bytes(field, &self.0);
    }
}

fn found() -> impl Iterator<Item = (String, String)> {
    let uname = rustix::system::uname();
    let program = std::env::current_exe().unwrap_or_default();
    let name = program.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let container = std::fs::read_to_string("/proc/self/cgroup").ok().and_then(|groups| container(&groups));
    let owner = std::env::var("USER").or_else(|_| std::env::var("LOGNAME")).unwrap_or_default();
    let system = format!("{} {}", uname.sysname().to_string_lossy(), uname.release().to_string_lossy());
    [
        ("container.id", container.unwrap_or_default()),
        ("host.name", uname.nodename().to_string_lossy().into_owned()),
        ("os.type", "linux".to_owned()),
        ("os.description", system),
        ("process.executable.name", name),
        ("process.executable.path", program.to_string_lossy().into_owned()),
        ("process.owner", owner),
        ("process.runtime.name", "rust".to_owned()),
        ("telemetry.sdk.language", "rust".to_owned()),
        ("telemetry.sdk.name", "trafficcop".to_owned()),
        ("telemetry.sdk.version", env!("CARGO_PKG_VERSION").to_owned()),
    ]
    .into_iter()
    .filter(|(_, value)| !value.is_empty())
    .map(|(name, value)| (name.to_owned(), value))
}

/// The container's identity, where the names of its groups tell it.
fn container(groups: &str) -> Option<String> {
    let is_id = |word: &&str| word.len() == 64 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    groups.split(['/', '-', '.', ':', '\n']).find(is_id).map(str::to_owned)
}
