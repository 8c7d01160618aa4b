//! The plot of calls of `AssumeRole`, by the size of the fleet and by the size of the caches.

use std::path::Path;
use std::time::Duration;

use aws_client_cache_benches::fleet::process::Settings;
use aws_client_cache_benches::fleet::report::{BASE, SHORT};
use aws_client_cache_benches::fleet::routing::Routing;
use aws_client_cache_benches::fleet::sessions::Failure;
use aws_client_cache_benches::fleet::simulation::DAY;
use plotters::coord::Shift;
use plotters::prelude::*;

/// The default quota of the Security Token Service, in requests a second.
const QUOTA: f64 = 600.0;

/// The figures of all fleets.
#[derive(Debug, Default)]
pub(crate) struct Plot(Vec<Figure>);

#[derive(Debug)]
struct Figure {
    processes: u32,
    routing: Routing,
    settings: Settings,
    /// The calls of `AssumeRole` a second.
    calls: f64,
}

/// A line of a chart.
struct Line {
    name: String,
    points: Vec<(f64, f64)>,
}

impl Plot {
    /// Adds the calls of `AssumeRole` of a day.
    pub(crate) fn add(&mut self, processes: u32, routing: Routing, settings: Settings, calls: f64) {
        self.0.push(Figure { processes, routing, settings, calls: calls / DAY as f64 });
    }

    /// Writes the plot as SVG.
    pub(crate) fn write(&self, path: &Path) -> Result<(), Failure> {
        let area = SVGBackend::new(path, (1_000, 440)).into_drawing_area();
        area.fill(&WHITE)?;
        let (left, right) = area.split_horizontally(500);
        let by_processes = |routing: Routing, settings: Settings| {
            let is_shown = |figure: &&Figure| figure.routing == routing && figure.settings == settings;
            let points = self.0.iter().filter(is_shown);
            Line {
                name: format!("{routing}, {} min", settings.session_length.as_secs() / 60),
                points: points.map(|figure| (figure.processes.into(), figure.calls)).collect(),
            }
        };
        let lines = [Routing::Random, Routing::Hashed]
            .into_iter()
            .flat_map(|routing| [SHORT, BASE].map(|settings| by_processes(routing, settings)));
        chart(&left, "100 tenants for each process", "processes", &lines.collect::<Vec<_>>())?;

        let largest = self.0.iter().map(|figure| figure.processes).max().unwrap_or_default();
        let by_size = |routing: Routing| {
            let is_shown = |figure: &&Figure| {
                let Settings { policy, session_length, .. } = figure.settings;
                let is_base = policy == BASE.policy && session_length == Duration::from_hours(1);
                figure.processes == largest && figure.routing == routing && is_base
            };
            let points = self.0.iter().filter(is_shown);
            let mut points: Vec<_> = points.map(|figure| (figure.settings.max_size as f64, figure.calls)).collect();
            points.sort_by(|one, other| one.0.total_cmp(&other.0));
            Line { name: format!("{routing}, 60 min"), points }
        };
        let lines = [Routing::Random, Routing::Hashed].map(by_size);
        chart(&right, &format!("{largest} processes"), "max_size", &lines)?;
        area.present()?;
        Ok(())
    }
}

fn chart(area: &DrawingArea<SVGBackend<'_>, Shift>, caption: &str, x: &str, lines: &[Line]) -> Result<(), Failure> {
    let points = || lines.iter().flat_map(|line| &line.points);
    let (first, last) = points().fold((f64::MAX, 0.0_f64), |(first, last), (x, _)| (first.min(*x), last.max(*x)));
    let (low, high) = points().fold((QUOTA, QUOTA), |(low, high), (_, y)| (low.min(*y), high.max(*y)));
    let mut chart = ChartBuilder::on(area)
        .caption(caption, ("sans-serif", 18))
        .margin(12)
        .x_label_area_size(40)
        .y_label_area_size(60)
        .build_cartesian_2d((first..last).log_scale(), (low * 0.1..high * 1.5).log_scale())
        .map_err(|error| error.to_string())?;
    chart
        .configure_mesh()
        .x_desc(x)
        .x_labels(4)
        .y_desc("AssumeRole calls a second")
        .x_label_formatter(&|x| format!("{x:.0}"))
        .y_label_formatter(&|y| if *y < 1.0 { format!("{y:.2}") } else { format!("{y:.0}") })
        .draw()
        .map_err(|error| error.to_string())?;
    let quota = Line { name: "default quota of STS".into(), points: vec![(first, QUOTA), (last, QUOTA)] };
    for (index, line) in lines.iter().chain([&quota]).enumerate() {
        let color = if index == lines.len() { BLACK.to_rgba() } else { Palette99::pick(index).to_rgba() };
        let style = color.stroke_width(2);
        chart
            .draw_series(LineSeries::new(line.points.iter().copied(), style))
            .map_err(|error| error.to_string())?
            .label(&line.name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], style));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::LowerRight)
        .border_style(BLACK)
        .background_style(WHITE)
        .draw()
        .map_err(|error| error.to_string())?;
    Ok(())
}
