//! [`Recorder`], a subscriber of `tracing` whose lines tests compare.

use std::fmt::{self, Write as _};
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::span::Attributes;
use tracing::subscriber::DefaultGuard;
use tracing::{Event, Id, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

/// Records each event as a line, after the names of its spans.
///
/// The line begins with the level, unless that is debug.
#[derive(Clone, Debug, Default)]
pub struct Recorder(Arc<Mutex<Vec<String>>>);

struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let written = match field.name() {
            "message" => write!(self.0, "{value:?}"),
            name => write!(self.0, " {name}={value:?}"),
        };
        written.unwrap();
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Recorder {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields(attributes.metadata().name().to_owned());
        attributes.record(&mut fields);
        context.span(id).unwrap().extensions_mut().insert(fields.0);
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let level = *event.metadata().level();
        let mut line = if level == Level::DEBUG { String::new() } else { format!("{level} ") };
        for span in context.event_scope(event).into_iter().flatten() {
            write!(line, "{{{}}} ", span.extensions().get::<String>().unwrap()).unwrap();
        }
        let mut fields = Fields(line);
        event.record(&mut fields);
        self.0.lock().unwrap().push(fields.0);
    }
}

/// Installs a subscriber for the process that shows nothing.
///
/// Tests run in parallel. Without it, a test that reaches an event first, and has no subscriber, could disable the event
/// while another test records it.
pub fn enable_events() {
    static ENABLED: std::sync::Once = std::sync::Once::new();
    ENABLED.call_once(|| {
        tracing::subscriber::set_global_default(tracing_subscriber::registry()).expect("no other one is installed");
    });
}

impl Recorder {
    /// Records the events of this thread until the guard is dropped.
    pub fn install() -> (Self, DefaultGuard) {
        enable_events();
        let recorder = Self::default();
        let guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(recorder.clone()));
        (recorder, guard)
    }

    /// Returns the events so far, and forgets them.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

/// Returns the events while `call` runs.
pub fn events_of(call: impl FnOnce()) -> Vec<String> {
    let (recorder, _guard) = Recorder::install();
    call();
    recorder.take()
}
