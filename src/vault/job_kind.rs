use crate::core::serde_text::serde_text;
use crate::core::words::words;

words! {
    /// What kind of thing a job does, and so what its subject is.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub(super) enum JobKind: "a kind of job" {
        /// An event is sent to a webhook.
        Webhook = "webhook",
        /// An environment's secrets are copied to another service.
        Integration = "integration",
    }
}

serde_text!(JobKind, "a kind of job");
