//! Rows by step in, a file that TensorBoard opens out.
//!
//! Records are framed as TensorFlow's TFRecord: length, its checksum, data, its checksum; the checksums are CRC-32C, masked. The data
//! are messages of tensorboard's `event.proto` and `summary.proto`, of which only what a scalar needs is here.

use crate::metrics::{METRICS_FILE, MetricsError, SCALES_FILE};
use crc::{CRC_32_ISCSI, Crc};
use prost::Message;
use serde::Serialize;
use serde_json::{Map, Value};
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// Its name in a run folder; TensorBoard looks for `tfevents` in it.
pub const EVENTS_FILE: &str = "metrics.tfevents";

/// Fields of rows that say where a row stands, and are not drawn.
const PLACES: [&str; 3] = ["step", "tokens", "seconds"];

/// ISCSI's is the one with Castagnoli's polynomial.
const CRC_32C: Crc<u32> = Crc::<u32>::new(&CRC_32_ISCSI);

#[derive(Message)]
struct Event {
    /// Seconds since 1970.
    #[prost(double, tag = "1")]
    wall_time: f64,
    #[prost(int64, tag = "2")]
    step: i64,
    /// In the first event, and only there.
    #[prost(string, optional, tag = "3")]
    file_version: Option<String>,
    #[prost(message, optional, tag = "5")]
    summary: Option<Summary>,
}

#[derive(Message)]
struct Summary {
    #[prost(message, repeated, tag = "1")]
    values: Vec<Scalar>,
}

/// `Summary.Value`
#[derive(Message)]
struct Scalar {
    #[prost(string, tag = "1")]
    tag: String,
    /// A default is left out of a message, and what lacks its value is no scalar to TensorBoard; so 0 is written too.
    #[prost(float, optional, tag = "2")]
    simple_value: Option<f32>,
}

/// The open file of a run.
#[derive(Debug)]
pub struct Events {
    path: PathBuf,
    file: BufWriter<File>,
}

impl Events {
    /// Begins the file of the run in `run` anew, with what its files of rows hold by now: so a resumed run has no step
    /// twice. `seconds` is what the run has taken so far.
    pub fn open(run: &Path, seconds: f64) -> Result<Self, MetricsError> {
        let path = run.join(EVENTS_FILE);
        let failed = |source| MetricsError::new(&path, source);
        let file = BufWriter::new(File::create(&path).map_err(failed)?);
        let mut events = Self { path: path.clone(), file };
        let began = now() - seconds;
        let file_version = Some("brain.Event:2".to_owned());
        events.write(&Event { wall_time: began, step: 0, file_version, summary: None })?;
        for name in [METRICS_FILE, SCALES_FILE] {
            let text = match fs::read_to_string(run.join(name)) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
                text => text.map_err(failed)?,
            };
            let mut time = began;
            for row in text.lines().filter_map(|line| serde_json::from_str::<Map<String, Value>>(line).ok()) {
                // Rows without a time of their own, of validations, are as late as the step before.
                time = row.get("seconds").and_then(Value::as_f64).map_or(time, |seconds| began + seconds);
                events.row_at(time, &row)?;
            }
        }
        events.flush()?;
        Ok(events)
    }

    /// Adds what a row of the metrics or of the scale vectors says.
    pub fn row(&mut self, row: &impl Serialize) -> Result<(), MetricsError> {
        match serde_json::to_value(row) {
            Ok(Value::Object(row)) => self.row_at(now(), &row),
            Ok(_) => Ok(()),
            Err(error) => Err(MetricsError::new(&self.path, error.into())),
        }
    }

    fn row_at(&mut self, wall_time: f64, row: &Map<String, Value>) -> Result<(), MetricsError> {
        let step = row.get("step").and_then(Value::as_i64).unwrap_or(0);
        let values = scalars(row);
        if values.is_empty() {
            return Ok(());
        }
        self.write(&Event { wall_time, step, file_version: None, summary: Some(Summary { values }) })
    }

    /// Hands the records to the system, so that TensorBoard sees them.
    pub fn flush(&mut self) -> Result<(), MetricsError> {
        self.file.flush().map_err(|source| MetricsError::new(&self.path, source))
    }

    fn write(&mut self, event: &Event) -> Result<(), MetricsError> {
        self.file
            .write_all(&record(&event.encode_to_vec()))
            .map_err(|source| MetricsError::new(&self.path, source))
    }
}

/// A row's numbers under TensorBoard's tags, whose part before the first `/` is a section of its page: `train/loss`, for a
/// loss beside it `side/moe.balance`, and for a scale vector `scale_norm_input/layers.3.attn_norm.scale`.
fn scalars(row: &Map<String, Value>) -> Vec<Scalar> {
    let text = |name: &str| row.get(name).and_then(Value::as_str);
    let vector = text("name").zip(text("role"));
    let mut scalars = Vec::new();
    for (field, value) in row.iter().filter(|(field, _)| !PLACES.contains(&field.as_str())) {
        let tag = match vector {
            Some((vector, role)) => format!("scale_{field}_{role}/{vector}"),
            None => format!("train/{field}"),
        };
        scalars.extend(scalar(tag, value));
        let inner = value.as_object().into_iter().flatten();
        scalars.extend(inner.filter_map(|(name, value)| scalar(format!("{field}/{name}"), value)));
    }
    scalars
}

/// What `tag` is at a step; `None` of what is no number.
fn scalar(tag: String, value: &Value) -> Option<Scalar> {
    Some(Scalar { tag, simple_value: Some(value.as_f64()? as f32) })
}

/// `data` as a TFRecord.
fn record(data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u64).to_le_bytes();
    [length.as_slice(), &masked_crc32c(&length), data, &masked_crc32c(data)].concat()
}

/// TFRecord's checksum: the data may hold checksums themselves, and theirs would not be much of a check.
fn masked_crc32c(data: &[u8]) -> [u8; 4] {
    CRC_32C.checksum(data).rotate_right(15).wrapping_add(0xa282_ead8).to_le_bytes()
}

/// Seconds since 1970.
fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |elapsed| elapsed.as_secs_f64())
}
