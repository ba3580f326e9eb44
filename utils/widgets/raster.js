// Pictures of pixels: bytes from base64, levels from 0 to 255 of a grid's values, and levels as the address of a picture.
// raster.py makes the same for the still pictures.

function bytesFrom(base64) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i); // faster than Uint8Array.from
  return bytes;
}

// The bytes of a square with a side within the limits, row by row; from an address the text may be anything.
function readPixels(text, [least, most]) {
  let bytes = "";
  try {
    bytes = atob(text);
  } catch { /* not base64 */ }
  const side = Math.sqrt(bytes.length);
  return Number.isInteger(side) && side >= least && side <= most ? square(side, (row, column) => bytes.charCodeAt(row * side + column)) : square(least, () => 128);
}

// What is beyond black or white is cut off.
function grayLevels(values, white) {
  return values.map((line) => line.map((value) => Math.min(255, Math.max(0, Math.floor((255 * value) / white + 0.5)))));
}

// White, 128, is zero, and the largest absolute value is 1 or 255.
function signedLevels(values) {
  const most = Math.max(1, ...values.flat().map(Math.abs));
  return values.map((line) => line.map((value) => 128 + Math.floor((127 * value) / most + 0.5)));
}

// Levels with a sign go from blue through white to orange: the palette's input and kernel, in both modes its light ones.
const BLUE = [0, 114, 178];
const ORANGE = [180, 83, 9];

function colourOf(level, signed) {
  if (!signed) return [level, level, level];
  const share = Math.min(1, Math.abs(level - 128) / 127);
  return (level < 128 ? BLUE : ORANGE).map((end) => Math.floor(255 + share * (end - 255) + 0.5));
}

const COLOURS = [false, true].map((signed) => Array.from({ length: 256 }, (_, level) => colourOf(level, signed)));

// The first `count` levels as the address of a picture; where a level is below 0 nothing is drawn.
function paint(levels, signed = false, count = Infinity) {
  const [width, height] = [levels[0].length, levels.length];
  const canvas = h("canvas", { width, height });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const image = context.createImageData(width, height);
  levels.flat().slice(0, count).forEach((level, i) => {
    if (level < 0) return;
    const [red, green, blue] = COLOURS[+signed][level];
    [image.data[4 * i], image.data[4 * i + 1], image.data[4 * i + 2], image.data[4 * i + 3]] = [red, green, blue, 255];
  });
  context.putImageData(image, 0, 0);
  return canvas.toDataURL();
}
