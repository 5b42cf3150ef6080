use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use std::{fmt, thread};

use super::lease::Claimed;
use crate::error::{ErrorKind, Result};
use crate::store::{Order, StoreExt as _};
use crate::vault::engine::Vault;
use crate::vault::keys;
use crate::vault::queue::DueRecord;
use crate::vault::records::decode;
use crate::vault::session::{Actor, Session};
use crate::vault::use_case::UseCase;

/// How many jobs are looked at in one transaction.
const PAGE: usize = 200;

/// Does what waits in a vault: delivers events to webhooks.
///
/// Any number of workers, in any number of processes, can work on one vault: each job is one worker's at a time. A job
/// whose worker died is taken by another one a minute later, so everything is done at least once.
///
/// ```no_run
/// # fn main() -> ioenv::Result<()> {
/// use std::sync::atomic::AtomicBool;
///
/// use ioenv::vault::{RootKey, Vault, Worker};
/// use ioenv::{SystemRandom, store::Memory};
///
/// let vault = Vault::create(Memory::new(), &RootKey::generate(&SystemRandom)?)?;
/// let stop = AtomicBool::new(false); // set to `true` by whatever ends the program
/// Worker::new(&vault).threads(8).run_until(&stop)?;
/// # Ok(())
/// # }
/// ```
pub struct Worker<'v> {
    vault: &'v Vault,
    threads: usize,
    per_host: usize,
    poll: Duration,
    state: Mutex<State>,
    done: Condvar,
}

/// What the threads of a worker share.
#[derive(Default)]
struct State {
    /// How many jobs of each lane are being done.
    busy: HashMap<String, usize>,
    /// Until when the store need not be asked again, because it was in vain a moment ago.
    quiet_until: Option<Instant>,
}

impl<'v> Worker<'v> {
    /// A worker of 16 threads, of which two at a time talk to the same host.
    pub fn new(vault: &'v Vault) -> Self {
        let (state, done) = (Mutex::default(), Condvar::new());
        Self { vault, threads: 16, per_host: 2, poll: Duration::from_secs(1), state, done }
    }

    /// How many jobs are done at a time: at least one.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads.max(1);
        self
    }

    /// How many requests are sent to the same host at a time: at least one. It should be far below the number of
    /// threads, so that a host that does not answer holds up itself alone.
    #[must_use]
    pub fn per_host(mut self, requests: usize) -> Self {
        self.per_host = requests.max(1);
        self
    }

    /// How often the store is asked whether there is something to do, when there is not: once a second, unless this is
    /// said.
    #[must_use]
    pub fn poll_every(mut self, interval: Duration) -> Self {
        self.poll = interval;
        self
    }

    /// Does all that can be done now, and tells how many attempts that were. What fails is left for when it is due again.
    ///
    /// # Errors
    /// What the store says. What was being done then is done again later.
    pub fn run_once(&self) -> Result<usize> {
        let count = AtomicUsize::new(0);
        self.state().quiet_until = None;
        self.run(|| {
            while let Some(claimed) = self.next()? {
                self.attempt(&claimed)?;
                count.fetch_add(1, Ordering::Relaxed);
            }
            Ok(())
        })?;
        Ok(count.into_inner())
    }

    /// Does what there is to do until `stop` is set; then it finishes what it has begun, which takes at most some ten
    /// seconds. A store that does not answer is asked again.
    ///
    /// # Errors
    /// What else the store says.
    pub fn run_until(&self, stop: &AtomicBool) -> Result<()> {
        let failed = AtomicBool::new(false);
        self.run(|| {
            while !stop.load(Ordering::Relaxed) && !failed.load(Ordering::Relaxed) {
                let result = match self.next() {
                    Ok(Some(claimed)) => self.attempt(&claimed),
                    Ok(None) => {
                        self.wait();
                        Ok(())
                    }
                    Err(error) => Err(error),
                };
                match result {
                    Ok(()) => {}
                    Err(error) if error.is_retryable() => self.wait(),
                    Err(error) => {
                        failed.store(true, Ordering::Relaxed);
                        return Err(error);
                    }
                }
            }
            Ok(())
        })
    }

    /// Runs the same in all threads.
    fn run(&self, work: impl Fn() -> Result<()> + Sync) -> Result<()> {
        thread::scope(|scope| {
            let threads: Vec<_> = (1..self.threads)
                .map(|_| thread::Builder::new().spawn_scoped(scope, &work))
                .map_while(std::io::Result::ok)
                .collect();
            // With fewer threads than were asked for, this one is there in any case.
            let mut result = work();
            for thread in threads {
                let theirs = thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
                result = result.and(theirs);
            }
            result
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until there may be something to do.
    fn wait(&self) {
        let _ = self.done.wait_timeout(self.state(), self.poll).map_err(PoisonError::into_inner);
    }

    fn session(&self) -> Session<'v> {
        self.vault.session(Actor::system("worker"))
    }

    /// Takes the job that has waited longest of those whose host has room.
    fn next(&self) -> Result<Option<Claimed>> {
        // Held while the store is asked, so that the threads of a worker do not run after the same job.
        let mut state = self.state();
        if state.quiet_until.is_some_and(|until| Instant::now() < until) {
            return Ok(None);
        }
        let mut range = keys::jobs_due(self.vault.now());
        loop {
            let page = self.vault.store.read(|tx| tx.scan(&range, Order::Ascending, PAGE))?;
            for record in &page {
                let Ok(due) = decode::<DueRecord>(&record.value) else {
                    continue;
                };
                if state.busy.get(&due.lane).is_some_and(|count| *count >= self.per_host) {
                    continue;
                }
                // The use case that takes no right and leaves no record of its own: who has the vault has the root key.
                match self.session().write(UseCase::Locate, |operation| operation.claim(&due)) {
                    Ok(Some(claimed)) => {
                        *state.busy.entry(claimed.job.lane.clone()).or_default() += 1;
                        return Ok(Some(claimed));
                    }
                    Ok(None) => {}
                    // A damaged record must not keep the others waiting; `Vault::check` finds it.
                    Err(error) if error.kind() == ErrorKind::Corrupt => {}
                    Err(error) => return Err(error),
                }
            }
            match page.last() {
                Some(last) if page.len() == PAGE => range = range.after(&last.key),
                _ => break,
            }
        }
        state.quiet_until = Instant::now().checked_add(self.poll);
        Ok(None)
    }

    /// Makes the attempt, and writes down what became of it.
    fn attempt(&self, claimed: &Claimed) -> Result<()> {
        let outcome = claimed.attempt.make(self.vault);
        let result = self.session().write(UseCase::Locate, |operation| operation.settle(claimed, &*outcome));
        let mut state = self.state();
        if let Some(count) = state.busy.get_mut(&claimed.job.lane) {
            *count -= 1;
            if *count == 0 {
                state.busy.remove(&claimed.job.lane);
            }
        }
        // Another job of the lane may have its turn now.
        state.quiet_until = None;
        drop(state);
        self.done.notify_all();
        result
    }
}

impl fmt::Debug for Worker<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker")
            .field("threads", &self.threads)
            .field("per_host", &self.per_host)
            .finish_non_exhaustive()
    }
}
