// Chains of layers: paths between their units, a row of costs for each layer, and costs as areas (a treemap).

// What a unit of such a layer reads of the row below, the padding included.
function unitReads([kernelSize, stride, padding, dilation], unit) {
  return Array.from({ length: kernelSize }, (_, tap) => unit * stride - padding + tap * dilation);
}

// By how many paths a unit reaches each unit below it, or a pixel (row 0) each unit above; units[r] is the length of row r.
function countPaths(layers, units, row, position) {
  const paths = units.map((length) => Array(length).fill(0));
  paths[row][position] = 1;
  for (let r = row; r > 0; r--) {
    paths[r].forEach((ways, unit) => unitReads(layers[r - 1], unit).forEach((below) => {
      if (below in paths[r - 1]) paths[r - 1][below] += ways;
    }));
  }
  for (let r = 1; row === 0 && r < units.length; r++) {
    paths[r] = paths[r].map((_, unit) => unitReads(layers[r - 1], unit).reduce((sum, below) => sum + (paths[r - 1][below] ?? 0), 0));
  }
  return paths;
}

function layerRow(layer, shape) {
  const spatial = shape.length === 3;
  const row = { kind: layer.kind, parameters: 0, macs: 0, dense_parameters: null };
  if (layer.kind === "flatten") {
    row.output_shape = [shape.reduce((a, b) => a * b)];
  } else if (layer.kind === "linear") {
    if (spatial) throw new Error(`a dense layer takes a flat input, got ${shape.join(" × ")}: flatten first`);
    row.output_shape = [layer.out_features];
    row.macs = shape[0] * layer.out_features;
    row.parameters = row.macs + layer.out_features;
  } else {
    if (!spatial) throw new Error(`this layer takes channels × height × width, got ${shape[0]} flat values`);
    const [channels, ...size] = shape;
    const out = size.map((n) => convOutputSize(n, layer.kernel_size, layer.stride, layer.padding, layer.dilation));
    row.output_shape = [layer.kind === "conv" ? layer.out_channels : channels, ...out];
    if (layer.kind === "conv") {
      const weights = convParameterCount(channels, layer.out_channels, layer.kernel_size, layer.groups, false);
      row.parameters = weights + layer.out_channels;
      row.macs = weights * out[0] * out[1];
      // Past 2^53 a Number would round it.
      const values = (shape) => shape.reduce((a, b) => a * BigInt(b), 1n);
      row.dense_parameters = (values(shape) + 1n) * values(row.output_shape);
    }
  }
  // Flatten is a view of what is already there: it stores nothing.
  row.activations = layer.kind === "flatten" ? 0 : row.output_shape.reduce((a, b) => a * b);
  return row;
}

// One row per layer up to the first that breaks a rule, which says so in `error`; null for those after it.
function ledgerRows(input, layers) {
  let shape = input;
  return layers.map((layer) => {
    if (shape === null) return null;
    try {
      const row = layerRow(layer, shape);
      shape = row.output_shape;
      return row;
    } catch (error) {
      shape = null;
      return { kind: layer.kind, error: error.message };
    }
  });
}

// Boxes [x, y, width, height] in rows, areas as the values; rows break where boxes come closest to squares.
function treemap(values, width, height) {
  const total = values.reduce((a, b) => a + b, 0);
  const best = [{ cost: 0 }]; // for the first 0, 1, 2, … values: the least cost, and where the last row starts
  for (let end = 1; end <= values.length; end++) {
    let share = 0;
    best.push({ cost: Infinity });
    for (let start = end - 1; start >= 0; start--) {
      share += values[start];
      let { cost } = best[start];
      for (const value of values.slice(start, end)) {
        const aspect = value / share * (total / share) * (width / height);
        cost += value * Math.max(aspect, 1 / aspect);
      }
      if (cost <= best[end].cost) best[end] = { cost, start };
    }
  }
  const rows = [];
  for (let end = values.length; end; end = best[end].start) rows.unshift(values.slice(best[end].start, end));
  let top = 0;
  return rows.flatMap((row) => {
    const share = row.reduce((a, b) => a + b);
    let left = 0;
    const boxes = row.map((value) => {
      const box = [left, top, width * value / share, height * share / total];
      left += box[2];
      return box;
    });
    top += height * share / total;
    return boxes;
  });
}
