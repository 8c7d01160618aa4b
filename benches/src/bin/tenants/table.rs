//! The figures, as a table and in words.

use std::cmp::Ordering;

use crate::processes::Figures;
use crate::strategies::Strategy;

type Row = (Strategy, Figures);

/// Returns an aligned table with one line for each strategy.
pub(crate) fn table(rows: &[Row]) -> String {
    let head = ["", "seconds", "AssumeRole calls", "connections opened", "sockets held", "peak MiB", "CPU seconds"];
    let body = rows.iter().map(|(strategy, figures)| {
        [
            strategy.name().to_owned(),
            seconds(figures.seconds),
            figures.assume_roles.to_string(),
            figures.opened.to_string(),
            figures.held.to_string(),
            figures.peak_memory.map_or("-".into(), mebibytes),
            figures.cpu_seconds.map_or("-".into(), seconds),
        ]
    });
    let lines: Vec<_> = std::iter::once(head.map(str::to_owned)).chain(body).collect();
    let width = |column: usize| lines.iter().map(|line| line[column].len()).max().unwrap_or_default();
    let widths: [usize; 7] = std::array::from_fn(width);
    let mut table = String::new();
    for line in &lines {
        let cells: Vec<_> = line
            .iter()
            .zip(widths)
            .enumerate()
            .map(
                |(column, (cell, width))| {
                    if column == 0 { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
                },
            )
            .collect();
        table.push_str(cells.join("  ").trim_end());
        table.push('\n');
    }
    table
}

/// Describes the cost of the session, and the range of the hand-written strategies.
pub(crate) fn sentences(rows: &[Row]) -> String {
    let hand_written: Vec<_> =
        rows.iter().filter(|(strategy, _)| *strategy != Strategy::Session).map(|(_, figures)| figures).collect();
    let Some((_, session)) = rows.iter().find(|(strategy, _)| *strategy == Strategy::Session) else {
        return String::new();
    };
    let counts =
        |of: fn(&Figures) -> usize| range(hand_written.iter().map(|figures| of(figures)), |count| count.to_string());
    let mut text = format!(
        "`Session` called AssumeRole {} times, opened {} connections and held {} at the end.\n\
         The hand-written strategies made {} calls, opened {} connections and held {}.\n",
        session.assume_roles,
        session.opened,
        session.held,
        counts(|figures| figures.assume_roles),
        counts(|figures| figures.opened),
        counts(|figures| figures.held),
    );
    if let (Some(cpu), Some(peak)) = (session.cpu_seconds, session.peak_memory) {
        let cpus = range(hand_written.iter().filter_map(|figures| figures.cpu_seconds), seconds);
        let peaks = range(hand_written.iter().filter_map(|figures| figures.peak_memory), mebibytes);
        let (cpu, peak) = (seconds(cpu), mebibytes(peak));
        let used = format!(
            "Its process took {cpu} seconds of CPU time, and {peak} MiB of memory at its peak; \
             those of the hand-written strategies took {cpus} seconds and {peaks} MiB.\n"
        );
        text.push_str(&used);
    }
    text
}

/// Returns the smallest and the largest of some figures, as text.
fn range<T: PartialOrd + Copy>(figures: impl Iterator<Item = T>, shown: fn(T) -> String) -> String {
    let mut figures: Vec<_> = figures.collect();
    figures.sort_by(|one, other| one.partial_cmp(other).unwrap_or(Ordering::Equal));
    match (figures.first(), figures.last()) {
        (Some(&least), Some(&most)) if shown(least) == shown(most) => shown(least),
        (Some(&least), Some(&most)) => format!("{} to {}", shown(least), shown(most)),
        _ => "-".into(),
    }
}

fn seconds(seconds: f64) -> String {
    format!("{seconds:.2}")
}

/// Rounds to the nearest mebibyte.
fn mebibytes(bytes: u64) -> String {
    ((bytes + (1 << 19)) >> 20).to_string()
}
