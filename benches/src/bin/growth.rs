//! Measures the cost of an operation from ten entries to ten million, as a table and a plot.

#![expect(clippy::print_stdout, reason = "a program that prints its results")]
#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "counts are far below the limits of precision"
)]

use std::error::Error;
use std::fmt::Write as _;
use std::path::PathBuf;

use aws_client_cache_benches::candidate::{Hasher, Lfu, Lru};
use aws_client_cache_benches::harness::{Candidate, Workload, medians, single_threaded};
use aws_client_cache_benches::workload::Shape;
use clap::Parser;
use plotters::prelude::*;

/// Measures get or insert on caches of growing size, with twice as many keys as entries.
#[derive(Parser)]
struct Arguments {
    /// The number of seeds, of keys and of hashes.
    #[arg(long, default_value_t = 3)]
    seeds: u64,
    /// The maximum number of entries of a cache.
    #[arg(long, default_value_t = 10_000_000)]
    up_to: usize,
    /// The path of the plot, as SVG.
    #[arg(long)]
    plot: Option<PathBuf>,
}

fn candidates() -> Vec<Candidate<[u64]>> {
    vec![
        Candidate::of::<Lru<u64>>("ours, LRU"),
        Candidate::of::<Lfu<u64>>("ours, LFU"),
        Candidate::of::<lru::LruCache<u64, u64, Hasher>>("lru"),
        Candidate::of::<hashlink::LruCache<u64, u64, Hasher>>("hashlink"),
        Candidate::of::<schnellru::LruMap<u64, u64, schnellru::ByLength, Hasher>>("schnellru"),
    ]
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let candidates = candidates();
    let mut table = String::from("| entries |");
    for candidate in &candidates {
        write!(table, " {} |", candidate.name)?;
    }
    table += "\n|---|";
    table += &"---|".repeat(candidates.len());
    let mut points = Vec::new();
    for decade in 1..=7 {
        for max_size in [10_usize.pow(decade), 3 * 10_usize.pow(decade)] {
            if max_size > arguments.up_to {
                continue;
            }
            let workload = Workload { shape: Shape::Zipf, max_size, universe: 2 * max_size as u32 };
            let times = medians(&single_threaded(&candidates, 1, workload, arguments.seeds));
            write!(table, "\n| {max_size} |")?;
            for time in &times {
                write!(table, " {time:.1} |")?;
            }
            points.push((max_size as f64, times));
        }
    }
    println!("{table}");
    if let Some(path) = arguments.plot {
        plot(&path, &candidates, &points)?;
    }
    Ok(())
}

fn plot(path: &PathBuf, candidates: &[Candidate<[u64]>], points: &[(f64, Vec<f64>)]) -> Result<(), Box<dyn Error>> {
    let top = points.iter().flat_map(|(_, times)| times).fold(1.0_f64, |top, time| top.max(*time));
    let last = points.last().map_or(100.0, |(max_size, _)| *max_size);
    let area = SVGBackend::new(path, (860, 480)).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .caption("get or insert, Zipf 0.9, twice as many keys as entries", ("sans-serif", 18))
        .margin(12)
        .x_label_area_size(40)
        .y_label_area_size(50)
        .build_cartesian_2d((10.0..last).log_scale(), (2.0..top * 1.1).log_scale())?;
    chart
        .configure_mesh()
        .x_desc("entries")
        .y_desc("ns an operation")
        .x_label_formatter(&|x| format!("{x:.0}"))
        .draw()?;
    for (index, candidate) in candidates.iter().enumerate() {
        let color = Palette99::pick(index).to_rgba();
        let line = points.iter().map(|(max_size, times)| (*max_size, times[index]));
        chart
            .draw_series(LineSeries::new(line, color.stroke_width(2)))?
            .label(candidate.name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], color.stroke_width(2)));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .border_style(BLACK)
        .background_style(WHITE)
        .draw()?;
    area.present()?;
    Ok(())
}
