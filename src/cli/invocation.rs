//! What a command line asks for, before any option is understood.

use trafficcop_config::shape::Kind;

/// What to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Action {
    /// Route traffic.
    #[default]
    Run,
    Version,
    Help,
    /// Ask a running router whether it is well.
    Health,
    /// Say what is wrong with a configuration.
    Check,
    Demo,
    /// Route traffic on this machine, by the files of a folder, and say what happens.
    Dev,
    /// Send requests and say how fast they were answered.
    Bench,
    /// Say what a request would meet, and why.
    Explain,
    /// Pass a few questions on to the engine.
    SocketProxy,
    /// Tell a running router to hand over to a new process.
    Upgrade,
    /// Say what files would change in a router that runs.
    Plan,
}

/// A command line, taken apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Invocation {
    pub action: Action,
    /// Options of the static configuration, as written.
    pub flags: Vec<String>,
    /// Of `--configFile` and `-c`.
    pub config_file: Option<String>,
    /// `--debug`: log level DEBUG wherever the settings come from.
    pub debug: bool,
    /// `check --json`.
    pub json: bool,
    /// What `check`, `demo`, `explain` and `socket-proxy` were given beside flags.
    pub operands: Vec<String>,
    /// The first word that is neither a flag nor the value of one. It ends the flags: what follows is not read, as with
    /// Traefik.
    pub stray: Option<String>,
}

impl Invocation {
    /// Takes the arguments apart; they begin after the program's name.
    pub fn read(arguments: &[String]) -> Result<Self, String> {
        let mut rest = arguments.iter().peekable();
        // A container may be started with the name of the program as its first argument.
        while rest.next_if(|word| is_our_name(word)).is_some() {}
        let action = match rest.next_if(|word| !word.starts_with('-')) {
            Some(command) => Self::command(command)?,
            None => Action::Run,
        };
        let mut read = Self { action, ..Self::default() };
        let takes_its_own = matches!(
            action,
            Action::Bench
                | Action::Demo
                | Action::Dev
                | Action::Explain
                | Action::Plan
                | Action::SocketProxy
                | Action::Upgrade
        );
        if takes_its_own {
            read.operands = rest.cloned().collect();
            return Ok(read);
        }
        while let Some(word) = rest.next() {
            let (name, value) = word.split_once('=').map_or((word.as_str(), None), |(name, value)| (name, Some(value)));
            if !word.starts_with('-') {
                match read.flags.last_mut().filter(|last| awaits_value(last)) {
                    Some(last) => *last = format!("{last}={word}"),
                    None if read.action == Action::Check => read.operands.push(word.clone()),
                    None => {
                        read.stray = Some(word.clone());
                        break;
                    }
                }
                continue;
            }
            match name.trim_start_matches('-').to_ascii_lowercase().as_str() {
                "help" | "h" if value.is_none() => read.action = Action::Help,
                "version" if value.is_none() => read.action = Action::Version,
                "configfile" | "c" => {
                    let next = || rest.next_if(|next| !next.starts_with('-')).cloned();
                    let file = value.map(str::to_owned).or_else(next);
                    read.config_file = Some(file.ok_or_else(|| format!("flag needs an argument: {word}"))?);
                }
                "validate" if value.is_none() => read.action = Action::Check,
                "debug" if value.is_none() => read.debug = true,
                "json" if read.action == Action::Check => read.json = true,
                _ => read.flags.push(word.clone()),
            }
        }
        Ok(read)
    }

    fn command(name: &str) -> Result<Action, String> {
        let commands = [
            ("version", Action::Version),
            ("healthcheck", Action::Health),
            ("check", Action::Check),
            ("demo", Action::Demo),
            ("dev", Action::Dev),
            ("bench", Action::Bench),
            ("explain", Action::Explain),
            ("socket-proxy", Action::SocketProxy),
            ("upgrade", Action::Upgrade),
            ("plan", Action::Plan),
            ("help", Action::Help),
        ];
        let known = commands.iter().find(|(command, _)| *command == name).map(|(_, action)| *action);
        known.ok_or_else(|| {
            let nearest = trafficcop_config::suggest::nearest(name, commands.iter().map(|(command, _)| *command));
            let hint = nearest.map(|nearest| format!(" (did you mean {nearest}?)")).unwrap_or_default();
            format!("command not found: {name}{hint}")
        })
    }
}

/// Whether a flag still waits for its value, so that the next word belongs to it: `--log.level DEBUG`. A flag that does
/// not exist does, too: it is refused later, and its value is no mistake of its own.
fn awaits_value(flag: &str) -> bool {
    if flag.contains('=') {
        return false;
    }
    let name: Vec<&str> = flag.trim_start_matches('-').split('.').collect();
    let kind = super::source::shape().kind_of(&name);
    matches!(kind, None | Some(Kind::Number | Kind::Text | Kind::List))
}

/// The last part of a path.
pub(super) fn base_name(program: &str) -> &str {
    program.rsplit('/').next().unwrap_or(program)
}

fn is_our_name(word: &str) -> bool {
    matches!(base_name(word), "traefik" | "trafficcop")
}
