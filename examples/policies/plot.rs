//! Draws the hit ratios: one line per policy, over the logarithm of the size.

use std::error::Error;
use std::fs;
use std::path::Path;

use aws_client_cache::EvictionPolicy;
use plotters::prelude::*;

use crate::replay::Row;

/// Colors that color-blind readers can tell apart.
const COLORS: [RGBColor; 3] = [RGBColor(0, 114, 178), RGBColor(213, 94, 0), RGBColor(0, 158, 115)];

/// Writes the plot as an SVG document. There must be at least one row.
#[expect(clippy::cast_precision_loss, reason = "a size is far below 2^53")]
pub(crate) fn write(path: &Path, rows: &[Row], name: &str) -> Result<(), Box<dyn Error>> {
    let first = rows[0].size as f64;
    // An axis needs two ends, even if there is one size.
    let last = (rows[rows.len() - 1].size as f64).max(first + 1.0);
    // Drawn in memory: plotters would not say why it cannot write to a file.
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (860, 480)).into_drawing_area();
        area.fill(&WHITE)?;
        let mut chart = ChartBuilder::on(&area)
            .caption(format!("Hit ratio by policy and size: {name}"), ("sans-serif", 18))
            .margin(12)
            .margin_right(40)
            .x_label_area_size(40)
            .y_label_area_size(50)
            .build_cartesian_2d((first..last).log_scale().base(2.0), 0.0..100.0)?;
        chart
            .configure_mesh()
            .x_desc("max_size")
            .y_desc("hits, percent")
            .x_label_formatter(&|x| format!("{x:.0}"))
            .y_label_formatter(&|y| format!("{y:.0}"))
            .max_light_lines(1)
            .draw()?;
        for ((place, policy), color) in EvictionPolicy::ALL.iter().enumerate().zip(COLORS.into_iter().cycle()) {
            let points = rows.iter().map(|row| (row.size as f64, row.percent().nth(place).unwrap_or_default()));
            chart
                .draw_series(LineSeries::new(points, color.stroke_width(2)))?
                .label(policy.to_string())
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 20, y)], color.stroke_width(2)));
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::LowerRight)
            .border_style(BLACK)
            .background_style(WHITE)
            .draw()?;
        area.present()?;
    }
    Ok(fs::write(path, svg)?)
}
