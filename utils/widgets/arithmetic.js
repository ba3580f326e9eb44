// Sizes, parameter counts and receptive fields: utils.arithmetic again, with its errors word for word.

function convOutputSize(size, kernelSize, stride = 1, padding = 0, dilation = 1) {
  const reach = dilation * (kernelSize - 1) + 1;
  const padded = size + 2 * padding;
  if (reach > padded) {
    const spread = dilation === 1 ? "" : ` (spread over ${reach} by dilation ${dilation})`;
    throw new Error(`kernel ${kernelSize}${spread} is larger than padded input ${padded} (size ${size} + 2·${padding}): no output`);
  }
  return Math.floor((padded - reach) / stride) + 1;
}

function convTransposeOutputSize(size, kernelSize, stride = 1, padding = 0, outputPadding = 0) {
  if (outputPadding >= stride) throw new Error(`output_padding ${outputPadding} must be smaller than stride ${stride} or dilation 1`);
  const full = (size - 1) * stride + kernelSize + outputPadding;
  if (full <= 2 * padding) throw new Error(`padding ${padding} on both sides crops all of the ${full} output cells: no output`);
  return full - 2 * padding;
}

function poolOutputSize(size, kernelSize, stride, padding = 0, dilation = 1, ceilMode = false) {
  stride ??= kernelSize;
  if (padding > Math.floor(kernelSize / 2)) throw new Error(`padding ${padding} is more than half of kernel ${kernelSize}`);
  if (!ceilMode) return convOutputSize(size, kernelSize, stride, padding, dilation);
  const padded = size + 2 * padding;
  const rounded = Math.ceil((padded - dilation * (kernelSize - 1) - 1) / stride) + 1;
  const count = (rounded - 1) * stride >= size + padding ? rounded - 1 : rounded;
  if (count < 1) {
    throw new Error(`kernel ${kernelSize} is larger than padded input ${padded} (size ${size} + 2·${padding})`
      + ` by more than ceil_mode can make up for with stride ${stride}: no output`);
  }
  return count;
}

// The receptive field of a chain of layers along one axis, each [kernelSize, stride, padding, dilation].
function receptiveField(layers) {
  let [size, jump, start] = [1, 1, 0];
  for (const [kernelSize, stride = 1, padding = 0, dilation = 1] of layers) {
    size += dilation * (kernelSize - 1) * jump;
    start -= padding * jump;
    jump *= stride;
  }
  return { size, jump, start };
}

function convParameterCount(inChannels, outChannels, kernelSize, groups = 1, bias = true) {
  for (const [name, channels] of [["in_channels", inChannels], ["out_channels", outChannels]]) {
    if (channels % groups) throw new Error(`groups must divide ${name}: ${channels} is not a multiple of ${groups}`);
  }
  return (outChannels * inChannels / groups) * kernelSize ** 2 + (bias ? outChannels : 0);
}
