//! Curves on two logarithmic axes, as SVG.

use std::fmt::Write;

/// A line through its points.
pub(crate) struct Curve {
    pub(crate) name: &'static str,
    pub(crate) points: Vec<(f64, f64)>,
}

/// Curves that share their axes.
pub(crate) struct Panel {
    pub(crate) title: &'static str,
    pub(crate) curves: Vec<Curve>,
}

const WIDTH: f64 = 440.0;
const HEIGHT: f64 = 300.0;
/// Around the axes: left, top, right, below.
const EDGES: [f64; 4] = [52.0, 34.0, 74.0, 30.0];
const COLOURS: [&str; 3] = ["#1f5fa8", "#b3541e", "#2d7a3d"];

/// Decades from the lowest value to the highest.
struct Axis {
    from: f64,
    to: f64,
}

impl Axis {
    fn over(values: impl Iterator<Item = f64>) -> Axis {
        let logs = values.map(|value| value.max(1e-3).log10());
        let (from, to) = logs.fold((f64::INFINITY, f64::NEG_INFINITY), |(from, to), log| {
            (from.min(log), to.max(log))
        });
        let (from, to) = (from.floor(), to.ceil());
        Axis {
            from,
            to: to.max(from + 1.0),
        }
    }

    /// How far along a value lies, from 0 to 1.
    fn place(&self, value: f64) -> f64 {
        (value.max(1e-3).log10() - self.from) / (self.to - self.from)
    }

    fn decades(&self) -> impl Iterator<Item = f64> {
        let (from, count) = (self.from, (self.to - self.from).round());
        std::iter::successors(Some(0.0), move |step| (*step < count).then_some(step + 1.0))
            .map(move |step| 10f64.powf(from + step))
    }
}

/// A picture of two panels beside each other in each row.
pub(crate) fn draw(panels: &[Panel]) -> String {
    let rows = panels.len().div_ceil(2) as f64;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n",
        2.0 * WIDTH,
        rows * HEIGHT
    );
    for (number, panel) in panels.iter().enumerate() {
        let (x, y) = ((number % 2) as f64 * WIDTH, (number / 2) as f64 * HEIGHT);
        writeln!(out, "<g transform=\"translate({x} {y})\">").expect("memory takes it");
        push_panel(&mut out, panel);
        out.push_str("</g>\n");
    }
    out.push_str("</svg>\n");
    out
}

fn push_panel(out: &mut String, panel: &Panel) {
    let points = || panel.curves.iter().flat_map(|curve| &curve.points);
    let across = Axis::over(points().map(|(x, _)| *x));
    let up = Axis::over(points().map(|(_, y)| *y));
    let [left, top, right, below] = EDGES;
    let (width, height) = (WIDTH - left - right, HEIGHT - top - below);
    let x_of = |value: f64| left + across.place(value) * width;
    let y_of = |value: f64| top + (1.0 - up.place(value)) * height;
    let mut push = |text: String| writeln!(out, "{text}").expect("memory takes it");
    push(format!(
        "<text x=\"{left}\" y=\"20\" font-weight=\"bold\">{}</text>",
        panel.title
    ));
    for value in across.decades() {
        let x = x_of(value);
        let (end, label) = (top + height, top + height + 16.0);
        push(format!(
            "<path d=\"M{x:.1} {top}V{end}\" stroke=\"#ddd\"/><text x=\"{x:.1}\" y=\"{label}\" text-anchor=\"middle\">{}</text>",
            short(value)
        ));
    }
    for value in up.decades() {
        let y = y_of(value);
        let (end, label) = (left + width, left - 6.0);
        push(format!(
            "<path d=\"M{left} {y:.1}H{end}\" stroke=\"#ddd\"/><text x=\"{label}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            y + 4.0,
            short(value)
        ));
    }
    for (curve, colour) in panel.curves.iter().zip(COLOURS) {
        let line: Vec<_> = curve
            .points
            .iter()
            .map(|(x, y)| format!("{:.1},{:.1}", x_of(*x), y_of(*y)))
            .collect();
        let Some((x, y)) = curve.points.last() else {
            continue;
        };
        push(format!(
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/><text x=\"{:.1}\" y=\"{:.1}\" fill=\"{colour}\">{}</text>",
            line.join(" "),
            x_of(*x) + 6.0,
            y_of(*y) + 4.0,
            curve.name
        ));
    }
}

/// 1000 as 10³ would be read aloud: `1k`, `1M`.
fn short(value: f64) -> String {
    match value {
        1e6.. => format!("{}M", (value / 1e6).round()),
        1e3.. => format!("{}k", (value / 1e3).round()),
        1.0.. => format!("{}", value.round()),
        _ => format!("{value:.3}").trim_end_matches('0').to_owned(),
    }
}
