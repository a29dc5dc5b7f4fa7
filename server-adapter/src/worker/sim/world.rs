//! The simulated world: one time, one source of chance, and actors that take turns.
//!
//! Every actor is a future. It runs alone until it waits for the world (`pause`); then the actor whose
//! wait ends first runs, and time moves to that moment. What an actor waits for outside of the world,
//! such as another thread that looks at a picture, is waited for on the spot. So the same seed gives
//! the same run, to the last step.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

use crate::clock::Clock;
use crate::store::Millis;

/// When a world begins.
const BEGIN: Millis = 1_800_000_000_000;

/// An actor, by number.
pub(super) type Actor = u64;

/// A process: its actors die together.
pub(super) type Process = u64;

/// The process of everything that does not die.
pub(super) const NATURE: Process = 0;

type Future_ = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The world.
#[derive(Clone)]
pub(super) struct World(Arc<Mutex<State>>);

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("World")
    }
}

struct State {
    /// Milliseconds since the beginning.
    now: Millis,
    random: u64,
    /// Ends of waits: time, chance, ticket.
    queue: BinaryHeap<Reverse<(Millis, u64, u64)>>,
    /// Whose wait a ticket is.
    tickets: BTreeMap<u64, Actor>,
    processes: BTreeMap<Actor, Process>,
    /// Until when a process stands still.
    still: BTreeMap<Process, Millis>,
    fresh: Vec<(Actor, Future_)>,
    dead: Vec<Actor>,
    current: Actor,
    waits: bool,
    next: u64,
    /// What happened, mixed into one number.
    trace: u64,
    steps: u64,
    /// How much goes wrong, in a thousand calls.
    trouble: u64,
    /// What must not be, and was.
    broken: Option<String>,
    over: bool,
}

impl World {
    pub(super) fn new(seed: u64, trouble: u64) -> Self {
        Self(Arc::new(Mutex::new(State {
            now: 0,
            random: seed,
            queue: BinaryHeap::new(),
            tickets: BTreeMap::new(),
            processes: BTreeMap::new(),
            still: BTreeMap::new(),
            fresh: Vec::new(),
            dead: Vec::new(),
            current: 0,
            waits: false,
            next: 0,
            trace: 0,
            steps: 0,
            trouble,
            broken: None,
            over: false,
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A number from 0 to below `bound`.
    pub(super) fn below(&self, bound: u64) -> u64 {
        self.state().draw() % bound.max(1)
    }

    /// True in so many of a hundred cases.
    pub(super) fn chance(&self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// True when something goes wrong with a call.
    pub(super) fn trouble(&self) -> bool {
        let mut state = self.state();
        let trouble = state.trouble;
        trouble > 0 && state.draw() % 1000 < trouble
    }

    /// From now on nothing goes wrong any more.
    pub(super) fn calm(&self) {
        self.state().trouble = 0;
    }

    /// Waits.
    pub(super) async fn pause(&self, millis: u64) {
        let mut ticket = None;
        poll_fn(|_| {
            let mut state = self.state();
            match ticket {
                Some(ticket) if !state.tickets.contains_key(&ticket) => Poll::Ready(()),
                Some(_) => {
                    state.waits = true;
                    Poll::Pending
                }
                None => {
                    ticket = Some(state.wait(millis));
                    Poll::Pending
                }
            }
        })
        .await;
    }

    /// Begins an actor of a process.
    pub(super) fn spawn(
        &self,
        process: Process,
        work: impl Future<Output = ()> + Send + 'static,
    ) -> Actor {
        let mut state = self.state();
        state.next += 1;
        let actor = state.next;
        state.processes.insert(actor, process);
        state.fresh.push((actor, Box::pin(work)));
        actor
    }

    /// Ends an actor where it stands.
    pub(super) fn end(&self, actor: Actor) {
        self.state().dead.push(actor);
    }

    /// Ends every actor of a process where it stands.
    pub(super) fn kill(&self, process: Process) {
        let mut state = self.state();
        let actors: Vec<Actor> = state
            .processes
            .iter()
            .filter(|(_, of)| **of == process)
            .map(|(actor, _)| *actor)
            .collect();
        state.dead.extend(actors);
        state.note(process);
    }

    /// A process stands still for a while, and does not know.
    pub(super) fn hold(&self, process: Process, millis: u64) {
        let mut state = self.state();
        let until = state.now + Millis::try_from(millis).unwrap_or(0);
        state.still.insert(process, until);
        state.note(process ^ millis);
    }

    /// Writes down what must not be; the world ends.
    pub(super) fn broken(&self, what: &str) {
        let mut state = self.state();
        let at = state.now;
        state.broken.get_or_insert_with(|| format!("{what}, after {at} ms"));
        state.over = true;
    }

    /// Nothing more is to be seen.
    pub(super) fn over(&self) {
        self.state().over = true;
    }

    /// Milliseconds since the beginning.
    pub(super) fn elapsed(&self) -> Millis {
        self.state().now
    }

    /// What must not be, how many steps it took, and their trace.
    pub(super) fn ended(&self) -> (Option<String>, u64, u64) {
        let mut state = self.state();
        (state.broken.take(), state.steps, state.trace)
    }

    /// Runs until it is over, or nobody waits for anything.
    pub(super) fn run(&self) {
        let waker = Waker::from(Arc::new(Awake(std::thread::current())));
        let mut context = Context::from_waker(&waker);
        let mut actors: BTreeMap<Actor, Future_> = BTreeMap::new();
        loop {
            let (fresh, dead) = {
                let mut state = self.state();
                (std::mem::take(&mut state.fresh), std::mem::take(&mut state.dead))
            };
            let is_quiet = fresh.is_empty();
            for actor in dead {
                self.state().processes.remove(&actor);
                // Dropped outside of the lock: what it held may speak to the world.
                drop(actors.remove(&actor));
            }
            for (actor, future) in fresh {
                if self.state().processes.contains_key(&actor) {
                    actors.insert(actor, future);
                    self.step(actor, &mut actors, &mut context);
                }
            }
            if !is_quiet {
                continue;
            }
            match self.next() {
                Next::Over => return,
                Next::Nothing => {}
                Next::Actor(actor) => self.step(actor, &mut actors, &mut context),
            }
        }
    }

    /// Whose turn it is; time moves to it.
    fn next(&self) -> Next {
        let mut state = self.state();
        if state.over {
            return Next::Over;
        }
        let Some(Reverse((at, chance, ticket))) = state.queue.pop() else { return Next::Over };
        let Some(actor) = state.tickets.get(&ticket).copied() else { return Next::Nothing };
        let Some(process) = state.processes.get(&actor).copied() else {
            state.tickets.remove(&ticket);
            return Next::Nothing;
        };
        if let Some(until) = state.still.get(&process).copied()
            && until > at
        {
            state.queue.push(Reverse((until, chance, ticket)));
            return Next::Nothing;
        }
        state.now = state.now.max(at);
        state.tickets.remove(&ticket);
        Next::Actor(actor)
    }

    fn step(&self, actor: Actor, actors: &mut BTreeMap<Actor, Future_>, cx: &mut Context<'_>) {
        {
            let mut state = self.state();
            state.current = actor;
            state.steps += 1;
            state.note(actor);
        }
        let Some(future) = actors.get_mut(&actor) else { return };
        loop {
            self.state().waits = false;
            match future.as_mut().poll(cx) {
                Poll::Ready(()) => {
                    actors.remove(&actor);
                    self.state().processes.remove(&actor);
                    return;
                }
                Poll::Pending if self.state().waits => return,
                // It waits for another thread, and so does everybody.
                Poll::Pending => std::thread::park(),
            }
        }
    }
}

enum Next {
    Over,
    Nothing,
    Actor(Actor),
}

impl State {
    /// SplitMix64.
    fn draw(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn wait(&mut self, millis: u64) -> u64 {
        self.waits = true;
        self.next += 1;
        let (ticket, chance) = (self.next, self.draw());
        let at = self.now + Millis::try_from(millis).unwrap_or(Millis::MAX / 2);
        self.queue.push(Reverse((at, chance, ticket)));
        self.tickets.insert(ticket, self.current);
        ticket
    }

    fn note(&mut self, what: u64) {
        let now = u64::try_from(self.now).unwrap_or(0);
        self.trace = (self.trace ^ what ^ now.rotate_left(32))
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .rotate_left(29);
    }
}

/// Wakes the thread on which the world runs.
struct Awake(Thread);

impl Wake for Awake {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// The time of a world, which may be ahead of it.
#[derive(Debug, Clone)]
pub(super) struct WorldClock {
    world: World,
    ahead: Arc<Mutex<Millis>>,
}

impl WorldClock {
    pub(super) fn new(world: &World) -> Self {
        Self { world: world.clone(), ahead: Arc::default() }
    }

    /// Somebody sets the clock; time that passed does not come back.
    pub(super) fn jump(&self, millis: Millis) {
        *self.ahead.lock().unwrap_or_else(PoisonError::into_inner) += millis.max(0);
    }
}

impl Clock for WorldClock {
    fn now(&self) -> Millis {
        let ahead = *self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
        BEGIN + self.world.elapsed() + ahead
    }

    fn random(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let drawn = self.world.state().draw().to_le_bytes();
            for (byte, drawn) in chunk.iter_mut().zip(drawn) {
                *byte = drawn;
            }
        }
    }
}
