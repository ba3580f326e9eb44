// Pictures of pixels: bytes from base64, levels from 0 to 255 of a grid's values, and levels as the address of a picture.
// raster.py makes the same for the still pictures.

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

// The first `count` levels as the address of a picture.
function paint(levels, signed = false, count = Infinity) {
  const canvas = h("canvas", { width: levels.length, height: levels.length });
  const context = canvas.getContext("2d");
  const image = context.createImageData(levels.length, levels.length);
  levels.flat().slice(0, count).forEach((level, i) => image.data.set([...colourOf(level, signed), 255], 4 * i));
  context.putImageData(image, 0, 0);
  return canvas.toDataURL();
}
