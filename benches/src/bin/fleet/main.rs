//! Simulates a day of a fleet: many processes with a session each, which serve many tenants.
//!
//! ```text
//! cargo run --release -p aws-client-cache-benches --features fleet --bin fleet -- --page docs/FLEET.md --plot docs/fleet.svg
//! ```

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program that prints its figures")]
#![expect(clippy::cast_precision_loss, reason = "counts are far below the limits of precision")]

mod plot;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;
use std::{fs, io};

use aws_client_cache_benches::fleet::report::{self, BASE, Medians, Run, SCALES, SHORT};
use aws_client_cache_benches::fleet::routing::Routing;
use aws_client_cache_benches::fleet::sessions::Failure;
use clap::Parser;

use plot::Plot;

/// Simulates a day of a fleet, and counts `AssumeRole` calls, clients, evictions and connections.
///
/// Takes some minutes. The figures are the same for the same arguments.
#[derive(Parser)]
struct Arguments {
    /// The number of seeds; each figure is the median over them.
    #[arg(long, default_value_t = Run::default().seeds, value_parser = clap::value_parser!(u64).range(1..))]
    seeds: u64,
    /// The mean requests a second for each process.
    #[arg(long, default_value_t = Run::default().rate, value_parser = positive)]
    rate: f64,
    /// A page that receives the tables, between its two markers.
    #[arg(long)]
    page: Option<PathBuf>,
    /// The path of the plot, as SVG.
    #[arg(long)]
    plot: Option<PathBuf>,
}

fn positive(text: &str) -> Result<f64, String> {
    let rate: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if rate > 0.0 && rate <= 1_000.0 { Ok(rate) } else { Err("not above 0 and up to 1000".to_owned()) }
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Failure> {
    let begin = Instant::now();
    let run = Run { seeds: arguments.seeds, rate: arguments.rate };
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let sessions = runtime.block_on(report::sessions_table())?;
    eprintln!("{} s: real sessions have the counts of the model", begin.elapsed().as_secs());

    let largest = SCALES[SCALES.len() - 1];
    let (mut scales, mut rows, mut plot) = (report::scales_head(), Vec::new(), Plot::default());
    let mut difference = 0.0_f64;
    for scale in SCALES {
        for routing in Routing::ALL {
            let has_table = scale == largest && routing != Routing::Spread;
            let settings = if has_table { report::all_settings() } else { vec![BASE, SHORT] };
            let Medians { day, difference: found } = run.day(scale, routing, &settings);
            difference = difference.max(found);
            eprintln!("{} s: {} processes, {routing}", begin.elapsed().as_secs(), scale.0);
            scales.push_str(&report::scale_row(scale, routing, &day));
            for (settings, figures) in settings.into_iter().zip(day.figures) {
                plot.add(scale.0, routing, settings, figures.counts.assume_roles as f64);
                if scale == largest {
                    rows.push((routing, settings, figures));
                }
            }
        }
    }
    let block = [
        "Real sessions and the model:\n".to_owned(),
        sessions,
        "Fleets of several sizes:\n".to_owned(),
        scales,
        "The largest fleet with several settings:\n".to_owned(),
        report::settings_table(&rows),
        "The peak of a deploy:\n".to_owned(),
        report::deploys_table(&run),
        "Tenants that move when a process is added:\n".to_owned(),
        report::moves_table(&run),
        format!(
            "Median of {} seeds; with one seed, the calls of a day differ by at most {:.1} % from it.\n",
            run.seeds,
            100.0 * difference
        ),
    ]
    .join("\n");
    println!("{block}");
    if let Some(path) = &arguments.page {
        let page = fs::read_to_string(path)?;
        fs::write(path, with_block(&page, &block)?)?;
    }
    if let Some(path) = &arguments.plot {
        plot.write(path)?;
    }
    eprintln!("{} s: done", begin.elapsed().as_secs());
    Ok(())
}

/// Replaces the text between the markers of a page.
fn with_block(page: &str, block: &str) -> io::Result<String> {
    let (begin, end) = ("<!-- fleet: begin -->\n", "<!-- fleet: end -->\n");
    let parts = page.split_once(begin).and_then(|(before, rest)| Some((before, rest.split_once(end)?.1)));
    let (before, after) = parts.ok_or_else(|| io::Error::other(format!("no {begin} and {end} in the page")))?;
    Ok(format!("{before}{begin}{block}{end}{after}"))
}
