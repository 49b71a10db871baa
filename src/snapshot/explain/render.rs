//! An explanation as text.

use std::fmt;

use super::{Explanation, Other};

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(name) = &self.entry_point {
            writeln!(f, "entry point  {name}")?;
        }
        if let Some(options) = &self.tls_options {
            writeln!(f, "TLS options  {options}")?;
        }
        match &self.winner {
            None => writeln!(f, "router       none")?,
            Some(winner) => {
                writeln!(f, "router       {}", winner.router)?;
                writeln!(f, "  rule       {}", winner.rule)?;
                writeln!(f, "  priority   {}: {}", winner.priority, winner.why)?;
                for child in &winner.children {
                    writeln!(f, "  below      {child}")?;
                }
                for middleware in &winner.middlewares {
                    writeln!(f, "middleware   {middleware}")?;
                }
                for line in &winner.service {
                    writeln!(f, "service      {line}")?;
                }
            }
        }
        for Other { router, why } in &self.others {
            match router.as_str() {
                "" => writeln!(f, "hint         {why}")?,
                router => writeln!(f, "not          {router}: {why}")?,
            }
        }
        self.causes.iter().try_for_each(|cause| writeln!(f, "cause        {cause}"))
    }
}
