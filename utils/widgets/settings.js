// What a reader may set: bounds of sliders and number fields, a layer's fields, sizes of cells under a finger; and how
// settings are read from a model and written to it. They come from an address or a kernel, so they may be anything.

// What the sliders and number fields allow: [least, most]. The Python traits have the same limits.
const BOUNDS = {
  architecture_explorer: { selected: [0, Infinity] },
  draw_digit: { digit: [0, 29], turn: [-180, 180], thickness: [-4, 4], down: [-8, 8], right: [-8, 8] },
  frequencies: {},
  kernel_on_photo: { drawn: [0, 9216] },
  kernel_stepper: { size: [3, 10], kernel_size: [1, 5], stride: [1, 4], padding: [0, 4], dilation: [1, 3] },
  convolution_matrix: { size: [3, 6], kernel_size: [1, 4], stride: [1, 3], padding: [0, 2] },
  transposed_convolution: { size: [1, 4], kernel_size: [1, 4], stride: [1, 3], padding: [0, 3], output_padding: [0, 2] },
  pooling: { size: [3, 8], kernel_size: [1, 4], stride: [1, 4], padding: [0, 2] },
  receptive_field_tower: { size: [5, 32], kernel_size: [1, 7], stride: [1, 4], padding: [0, 3], dilation: [1, 4] },
  channel_mixer: { in_channels: [1, 6], out_channels: [1, 6], groups: [1, 6], kernel_size: [1, 3], size: [3, 5], channel: [0, 5] },
  compare_runs: {},
  training_curves: {},
  your_photo: { across: [-112, 112], down: [-112, 112], turn: [-180, 180], zoom: [50, 400], blur: [0, 12], label: [-1, 999] },
  layer_ledger: {
    channels: [1, 2048], height: [1, 512], width: [1, 512], out_channels: [1, 2048], kernel_size: [1, 31],
    stride: [1, 16], padding: [0, 15], dilation: [1, 16], groups: [1, 2048], out_features: [1, 100000],
  },
};

// The number fields of a layer in the ledger, with what they say at first.
const LAYER_FIELDS = {
  conv: { out_channels: 10, kernel_size: 3, stride: 1, padding: 1, dilation: 1, groups: 1 },
  maxpool: { kernel_size: 2, stride: 2 },
  flatten: {},
  linear: { out_features: 10 },
};

// Pixels across a cell: one to be hit with a finger, one only to be read on a telephone, and on a larger screen.
const FINGER_CELL = 44;
const TELEPHONE_CELL = 32;
const READ_CELL = 36;

function whole(value, [least, most], fallback) {
  return Number.isInteger(value) ? Math.min(Math.max(value, least), most) : fallback ?? least;
}

function bounded(model, figure) {
  const entries = Object.entries(BOUNDS[figure]);
  return Object.fromEntries(entries.map(([name, bounds]) => [name, whole(model.get(name), bounds)]));
}

// The trait `position`: a row and a column of a grid whose last ones are `last`.
function rowAndColumn(model, last) {
  const position = Array.isArray(model.get("position")) ? model.get("position") : [];
  return [0, 1].map((axis) => whole(position[axis], [0, last]));
}

// The trait `controls`: which of its controls, [name, node] each, a figure shows. An address that says nothing shows all.
function shownControls(model, controls) {
  const chosen = model.get("controls");
  return Array.isArray(chosen) ? controls.filter(([name]) => chosen.includes(name)) : controls;
}

function assign(model, changes) {
  for (const [name, value] of Object.entries(changes)) model.set(name, value);
  model.save_changes();
}
