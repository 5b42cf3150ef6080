use ioenv::{Kind, SecretString, VarName, is_withheld};

use crate::args::{SetArgs, usage};
use crate::levels::NewValue;
use crate::levels::chosen::levels;
use crate::project::Project;
use crate::result::Result;
use crate::terminal;

pub(crate) fn run(project: &Project, args: SetArgs) -> Result {
    let name: VarName = args.name.get();
    let mut given: Vec<String> = args.value.into_iter().chain(args.more).collect();
    // Not repeated: it may be a value. A mistyped option must not become one.
    if given.iter().any(|one| one.len() > 1 && one.starts_with('-')) {
        usage("there is no such option; a value that begins with `-` needs `--` before it: ioenv set NAME -- VALUE");
    }
    given.extend(args.last);
    if given.len() > 1 {
        usage("the value must be one argument: put it between quotes, or pipe it in");
    }
    let value: SecretString = match given.pop() {
        Some(value) if value != "-" => {
            if terminal::has_input() {
                usage("the value is given as an argument and on stdin: leave one of the two out, or add `</dev/null`");
            }
            if !value.is_empty() {
                terminal::warning(
                    "a value given as an argument can be seen by other users and stays in the shell's history: \
                     leave it out and type it, or pipe it in",
                );
            }
            value.into()
        }
        _ => terminal::read_value(&name)?,
    };
    if is_withheld(&name) {
        super::warn_of_withheld(&name);
    }
    let kind = match (args.variable, args.secret) {
        (true, _) => Some(Kind::Variable),
        (_, true) => Some(Kind::Secret),
        _ => None,
    };
    let new = NewValue { name, value, kind, is_literal: args.literal };
    levels(project)?.set(&project.path()?, &new)
}
