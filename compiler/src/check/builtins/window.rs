//! Functions that slide a window over images: convolution and pooling. Windows are read by one gather of rows at positions
//! made from counts alone, so they are worked out once; a convolution is then one matrix product, and derivatives follow
//! from both.

use blo_grammar::diagnostic::Diagnostic;

use super::super::Checker;
use super::super::arithmetic::{same_axis, union};
use super::super::value::{Axes, Axis, Label, Value};
use super::Call;
use crate::ir::graph::NodeId;

/// Positions of a window over the last two axes of an image.
struct Windows {
    /// Height and width of the image, with padding.
    image: [usize; 2],
    /// Height and width of the window.
    size: [usize; 2],
    stride: usize,
    dilation: usize,
    /// How many windows stand below and beside each other.
    count: [Axis; 2],
}

impl Windows {
    fn number(&self) -> usize {
        self.count[0].size * self.count[1].size
    }

    fn area(&self) -> usize {
        self.size[0] * self.size[1]
    }

    fn pixels(&self) -> usize {
        self.image[0] * self.image[1]
    }

    /// Whether every pixel is a window of its own.
    fn trivial(&self) -> bool {
        self.area() == 1 && self.number() == self.pixels()
    }
}

/// The optional arguments of `conv2d`.
struct Settings {
    stride: usize,
    padding: usize,
    dilation: usize,
    groups: usize,
}

/// The axes that take part in a convolution.
struct Channels {
    groups: usize,
    /// Channels of the image in one group.
    each: usize,
    /// Channels of the result in one group.
    out: usize,
}

const GROUP: Label = Label::Own(0);
const PLACE: Label = Label::Own(1);
const FEATURE: Label = Label::Own(2);
const OUT: Label = Label::Own(3);
/// Leading axes of the images are numbered from here.
const BATCH: usize = 10;

/// `conv2d(x, w, stride, padding, dilation, groups)`: `x` is `[…, c, h, w]`, the kernel `[c_out, c / groups, kh, kw]`. As
/// everywhere in the field, the kernel is not mirrored.
pub fn conv2d(c: &mut Checker, call: &Call) -> Option<Value> {
    let (image, kernel) = (c.expr(call.arguments[0]), c.expr(call.arguments[1]));
    let settings = c.convolution_settings(call);
    let (image, kernel, settings) = (image?, kernel?, settings?);
    let image = c.numeric(image, call.arguments[0].span, "`conv2d`")?;
    let kernel = c.numeric(kernel, call.arguments[1].span, "`conv2d`")?;
    if image.rank() < 3 {
        return c.not_an_image(call, 0, &image, "channels, height and width, perhaps after other axes");
    }
    if kernel.rank() != 4 {
        return c.not_an_image(call, 1, &kernel, "channels out, channels in, height and width");
    }
    let channels = c.channels(call, &image, &kernel, settings.groups)?;
    let size = [kernel.shape[2].size, kernel.shape[3].size];
    let (image, kernel) = (c.real(&image), c.real(&kernel));
    let (padded, windows) = c.windows(call, &image, size, &settings)?;
    Some(c.convolve(&image, padded, &kernel, &windows, &channels))
}

/// `avg_pool2d(x, size, stride)`: the mean over each window; the stride is the size unless given.
pub fn avg_pool2d(c: &mut Checker, call: &Call) -> Option<Value> {
    let (value, windows, node, axes) = c.pooled(call)?;
    let sum = c.graph.sum(node, &axes);
    let mean = c.graph.scale(sum, 1.0 / windows.area() as f64);
    Some(c.pooling_result(&value, &windows, mean))
}

/// `max_pool2d(x, size, stride)`: the largest over each window; the stride is the size unless given.
pub fn max_pool2d(c: &mut Checker, call: &Call) -> Option<Value> {
    let (value, windows, node, axes) = c.pooled(call)?;
    let largest = c.graph.max_over(node, &axes);
    Some(c.pooling_result(&value, &windows, largest))
}

/// Arguments and shapes.
impl Checker<'_> {
    fn convolution_settings(&mut self, call: &Call) -> Option<Settings> {
        let argument = |k: usize| call.arguments.get(k);
        let stride = argument(2).map_or(Some((1, false)), |e| self.size(e, "the stride"));
        let padding = match argument(3) {
            None => Some(0),
            Some(e) => self.whole_number(e, "the padding").and_then(|(n, _)| match usize::try_from(n) {
                Ok(n) => Some(n),
                Err(_) => {
                    self.error("E0215", "the padding cannot be negative", e.span, format!("this is {n}"))
                }
            }),
        };
        let dilation = argument(4).map_or(Some((1, false)), |e| self.size(e, "the dilation"));
        let groups = argument(5).map_or(Some((1, false)), |e| self.size(e, "the number of groups"));
        Some(Settings { stride: stride?.0, padding: padding?, dilation: dilation?.0, groups: groups?.0 })
    }

    fn not_an_image<T>(&mut self, call: &Call, k: usize, value: &Value, wanted: &str) -> Option<T> {
        let what = if k == 0 { "images" } else { "a kernel" };
        let message = format!("`{}` needs {what}", call.name.name);
        let label = format!("this is {}", self.value_text(value));
        let diagnostic = Diagnostic::error("E0203", message, call.arguments[k].span, label);
        self.emit(diagnostic.note(format!("the axes of {what} are {wanted}")));
        None
    }

    /// The channels of both sides, which must fit together.
    fn channels(&mut self, call: &Call, image: &Value, kernel: &Value, groups: usize) -> Option<Channels> {
        let (given, wanted) = (image.shape[image.rank() - 3], kernel.shape[1]);
        let out = kernel.shape[0];
        let fits = if groups == 1 {
            same_axis(&given, &wanted).is_some()
        } else {
            given.size == wanted.size * groups
        };
        if !fits {
            let headline = "the channels of image and kernel differ";
            let (a, b) = (self.axis_text(&given), self.axis_text(&wanted));
            let mut diagnostic = Diagnostic::error("E0203", headline, call.name.span, format!("{a} and {b}"))
                .label(call.arguments[0].span, format!("the channels of the images are {a}"))
                .label(call.arguments[1].span, format!("those the kernel expects are {b}"));
            if groups > 1 {
                diagnostic = diagnostic
                    .note(format!("with {groups} groups, the kernel sees the channels divided by {groups}"));
            }
            self.emit(diagnostic);
            return None;
        }
        if !out.size.is_multiple_of(groups) {
            let label = format!("{} channels come out", self.axis_text(&out));
            let message = format!("the channels cannot be divided into {groups} groups");
            return self.error("E0203", message, call.arguments[1].span, label);
        }
        Some(Channels { groups, each: wanted.size, out: out.size / groups })
    }

    /// The images with their padding, and the windows over them.
    fn windows(
        &mut self,
        call: &Call,
        image: &Value,
        size: [usize; 2],
        settings: &Settings,
    ) -> Option<(NodeId, Windows)> {
        let rank = image.rank();
        let outer = image.loops.len() + rank - 2;
        let mut before = vec![0; outer + 2];
        let mut after = before.clone();
        let (mut padded, mut count) = ([0; 2], [Axis::of(1); 2]);
        for k in 0..2 {
            let axis = image.shape[rank - 2 + k];
            let reach = (size[k] - 1) * settings.dilation + 1;
            let full = axis.size + 2 * settings.padding;
            if full < reach && !axis.assumed {
                let side = ["height", "width"][k];
                let message = format!("the window is larger than the image in {side}");
                let label = format!("{reach} does not fit into {full}");
                let diagnostic = Diagnostic::error("E0203", message, call.span, label);
                let text = format!("the {side} is {}", self.axis_text(&axis));
                self.emit(diagnostic.label(call.arguments[0].span, text));
                return None;
            }
            // A size that was made up is made large enough.
            padded[k] = full.max(reach);
            before[outer + k] = settings.padding;
            after[outer + k] = padded[k] - axis.size - settings.padding;
            let steps = (padded[k] - reach) / settings.stride + 1;
            count[k] = Axis { size: steps, dim: None, assumed: axis.assumed };
        }
        let node = self.graph.pad(image.node, &before, &after);
        let (stride, dilation) = (settings.stride, settings.dilation);
        Some((node, Windows { image: padded, size, stride, dilation, count }))
    }
}

/// Graphs.
impl Checker<'_> {
    /// Positions in the flat image, `[windows, area]`.
    fn window_positions(&mut self, w: &Windows) -> NodeId {
        let width = w.image[1];
        let sizes = [w.count[0].size, w.count[1].size, w.size[0], w.size[1]];
        let steps = [w.stride * width, w.stride, w.dilation * width, w.dilation];
        let mut all = self.graph.fill_int(0, &sizes);
        for (k, (&size, &step)) in sizes.iter().zip(&steps).enumerate() {
            let count = self.graph.iota(size);
            let step = self.graph.fill_int(step as i64, &[size]);
            let part = self.graph.mul(count, step);
            let part = self.graph.broadcast(part, &sizes, &[k]);
            all = self.graph.add(all, part);
        }
        self.graph.reshape(all, &[w.number(), w.area()])
    }

    /// Rows of `x` (`outer ++ [pixels] ++ row`) in windows: `outer ++ [windows, area] ++ row`.
    fn read_windows(&mut self, x: NodeId, w: &Windows, outer: usize) -> NodeId {
        let positions = self.window_positions(w);
        let mut sizes = self.graph.shape(x)[..outer].to_vec();
        sizes.extend([w.number(), w.area()]);
        let index = self.graph.broadcast(positions, &sizes, &[outer, outer + 1]);
        self.graph.gather(x, index, outer)
    }

    fn convolve(
        &mut self,
        image: &Value,
        padded: NodeId,
        kernel: &Value,
        windows: &Windows,
        channels: &Channels,
    ) -> Value {
        let batch = &image.shape[..image.rank() - 3];
        let mut loops: Vec<Label> = image.loops.iter().map(|&l| Label::Loop(l)).collect();
        loops.extend((0..batch.len()).map(|k| Label::Own(BATCH + k)));
        let left = self.columns(image, padded, windows, channels);
        let right = self.kernel_rows(kernel, windows, channels);
        let group = (channels.groups > 1).then_some(GROUP);
        let left_labels: Vec<Label> = loops.into_iter().chain(group).chain([PLACE, FEATURE]).collect();
        let outer = kernel.loops.iter().map(|&l| Label::Loop(l));
        let right_labels: Vec<Label> = outer.chain(group).chain([OUT, FEATURE]).collect();
        let all = union(&image.loops, &kernel.loops);
        let own = (0..batch.len()).map(|k| Label::Own(BATCH + k)).chain(group).chain([OUT, PLACE]);
        let out: Vec<Label> = all.iter().map(|&l| Label::Loop(l)).chain(own).collect();
        let node = self.einsum((left, &left_labels), (right, &right_labels), &out);
        let mut shape = Axes::from_slice(batch);
        shape.extend([kernel.shape[0], windows.count[0], windows.count[1]]);
        let sizes = self.sizes(&all, &shape);
        let node = self.graph.reshape(node, &sizes);
        self.value(node, all, shape)
    }

    /// One row per window: `outer ++ [groups] ++ [windows, area · channels]`, without the groups when there is one.
    fn columns(&mut self, image: &Value, padded: NodeId, windows: &Windows, channels: &Channels) -> NodeId {
        let mut sizes = self.sizes(&image.loops, &image.shape[..image.rank() - 3]);
        if channels.groups > 1 {
            sizes.push(channels.groups);
        }
        let outer = sizes.len();
        sizes.extend([channels.each, windows.pixels()]);
        let node = self.graph.reshape(padded, &sizes);
        // Channels go last, so that the gather moves rows of them and the windows come out as rows of a matrix.
        let mut order: Vec<usize> = (0..sizes.len()).collect();
        order.swap(outer, outer + 1);
        let node = self.graph.transpose(node, &order);
        if windows.trivial() {
            return node;
        }
        let node = self.read_windows(node, windows, outer);
        sizes.truncate(outer);
        sizes.extend([windows.number(), windows.area() * channels.each]);
        self.graph.reshape(node, &sizes)
    }

    /// One row per channel that comes out, in the order of [`Self::columns`].
    fn kernel_rows(&mut self, kernel: &Value, windows: &Windows, channels: &Channels) -> NodeId {
        let mut sizes = self.sizes(&kernel.loops, &[]);
        if channels.groups > 1 {
            sizes.push(channels.groups);
        }
        sizes.push(channels.out);
        let outer = sizes.len();
        sizes.extend([channels.each, windows.area()]);
        let node = self.graph.reshape(kernel.node, &sizes);
        let mut order: Vec<usize> = (0..sizes.len()).collect();
        order.swap(outer, outer + 1);
        let node = self.graph.transpose(node, &order);
        sizes.truncate(outer);
        sizes.push(channels.each * windows.area());
        self.graph.reshape(node, &sizes)
    }

    /// The operand of a pooling, its windows, their elements, and the axes to reduce.
    fn pooled(&mut self, call: &Call) -> Option<(Value, Windows, NodeId, Vec<usize>)> {
        let value = self.expr(call.arguments[0]);
        let size = self.size(call.arguments[1], "the size of the window");
        let stride = match call.arguments.get(2) {
            Some(e) => self.size(e, "the stride"),
            None => size,
        };
        let (value, (size, _), (stride, _)) = (value?, size?, stride?);
        let value = self.numeric(value, call.arguments[0].span, &format!("`{}`", call.name.name))?;
        if value.rank() < 2 {
            return self.not_an_image(call, 0, &value, "height and width, perhaps after other axes");
        }
        let value = self.real(&value);
        let settings = Settings { stride, padding: 0, dilation: 1, groups: 1 };
        let (node, windows) = self.windows(call, &value, [size, size], &settings)?;
        let mut sizes = self.sizes(&value.loops, &value.shape[..value.rank() - 2]);
        let outer = sizes.len();
        if stride != size {
            sizes.push(windows.pixels());
            let flat = self.graph.reshape(node, &sizes);
            let elements = self.read_windows(flat, &windows, outer);
            return Some((value, windows, elements, vec![outer + 1]));
        }
        // Windows side by side are blocks of the image.
        let [high, wide] = [windows.count[0].size, windows.count[1].size];
        let mut end = sizes.clone();
        end.extend([high * size, wide * size]);
        let whole = self.graph.slice(node, &vec![0; end.len()], &end);
        sizes.extend([high, size, wide, size]);
        let elements = self.graph.reshape(whole, &sizes);
        Some((value, windows, elements, vec![outer + 1, outer + 3]))
    }

    fn pooling_result(&mut self, value: &Value, windows: &Windows, node: NodeId) -> Value {
        let mut shape = Axes::from_slice(&value.shape[..value.rank() - 2]);
        shape.extend(windows.count);
        let sizes = self.sizes(&value.loops, &shape);
        let node = self.graph.reshape(node, &sizes);
        self.value(node, value.loops.clone(), shape)
    }
}
