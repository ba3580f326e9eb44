// Example images and kernels by name, made of small integers: those of examples.py again.

const IMAGES = ["edge", "corner", "spot", "counting"];
const POOLED_IMAGES = ["scattered", "spot", "edge", "negative"];
const KERNELS = ["vertical edge", "blur", "sharpen", "identity", "counting"];
const PHOTO_KERNELS = ["vertical edge", "horizontal edge", "outline", "blur", "sharpen", "identity"];

function square(size, value) {
  return Array.from({ length: size }, (_, row) => Array.from({ length: size }, (_, column) => value(row, column)));
}

function makeImage(name, size) {
  const late = (index) => 2 * index >= size;
  const middle = Math.floor((size - 1) / 2);
  const scattered = (row, column) => (4 * row * row + 3 * column * column + 4 * row * column + 3 * row + 3) % 10;
  return square(size, (row, column) => ({
    scattered: scattered(row, column),
    negative: scattered(row, column) - 10,
    edge: late(column) ? 6 : 1,
    corner: late(row) && late(column) ? 6 : 1,
    spot: row === middle && column === middle ? 1 : 0,
    counting: (row * size + column) % 10,
  })[name]);
}

function makeKernel(name, size) {
  const middle = Math.floor((size - 1) / 2); // an even kernel has no centre: torch, too, leans left
  const crossing = (row, column) => Math.abs(row - middle) + Math.abs(column - middle);
  const arms = square(size, crossing).flat().filter((distance) => distance === 1).length;
  return square(size, (row, column) => ({
    "vertical edge": size === 1 ? 1 : Math.sign(2 * column - size + 1),
    "horizontal edge": size === 1 ? 1 : Math.sign(2 * row - size + 1),
    outline: crossing(row, column) ? -1 : size * size - 1,
    blur: 1,
    sharpen: [arms + 1, -1][crossing(row, column)] ?? 0,
    identity: crossing(row, column) ? 0 : 1,
    counting: row * size + column + 1,
  })[name]);
}
