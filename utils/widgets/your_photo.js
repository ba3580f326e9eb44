// Your own photo: EfficientNet-Lite0 reads it, and a heat map shows where in it a class's score comes from.

const UNTOUCHED = { across: 0, down: 0, turn: 0, zoom: 100, blur: 0 };
const OWN = "your own";
const SLIDERS = { across: "Across, pixels", down: "Down, pixels", turn: "Turn, degrees", zoom: "Zoom, %", blur: "Blur, pixels" };
const PLACES = 7; // along a side of the last maps
const FILM = [168, 66, 127]; // the gradient's colour: as light on every photograph, in both modes
const [SHORT, LEAST_SIDE, MEGAPIXELS, MEGABYTES] = [2 * VIEW, 16, 64, 64]; // pixels kept along the shorter side; what is refused
const ARROW_STEP = 4;
const PATIENCE = 20000; // milliseconds
const PAUSE = 300; // milliseconds without a change before the answer is said

// What the network made of an untouched sample, if the page really has it.
function readStill(still, sample) {
  const numbers = (list, length) => Array.isArray(list) && list.length === length && list.every(Number.isFinite);
  if (still?.sample !== sample || typeof still.photo !== "string") return null;
  const { likeliest, heat } = still;
  if (![likeliest, heat].every((list) => Array.isArray(list) && list.length === 5)) return null;
  const known = likeliest.every((row) => Array.isArray(row) && typeof row[1] === "string" && numbers([row[0], row[2]], 2));
  return known && heat.every((map) => numbers(map, PLACES ** 2)) ? { likeliest, heat, photo: still.photo, from: `${still.from}` } : null;
}

function readState(model) {
  const { label, ...moves } = bounded(model, "your_photo");
  const sample = SAMPLES.includes(model.get("sample")) ? model.get("sample") : SAMPLES[0];
  const touched = Object.entries(UNTOUCHED).some(([name, value]) => moves[name] !== value);
  const still = touched ? null : readStill(model.get("still"), sample);
  return { sample, moves, touched, label, hot: model.get("heat") !== false, own: false, answer: still, before: null };
}

function describe({ sample, touched, own, answer, before }) {
  const what = own ? "Your photo" : `Photo of ${sample}`;
  if (!answer) return `Load the network to see what it makes of the photo of ${sample}${touched ? " after these changes" : ""}.`;
  const [first, second] = answer.likeliest.map(([, name, share]) => `${name} ${percentage(share)}`);
  if (!touched) return `${what}: ${first}, then ${second}.`;
  return `${what}, changed: ${first}, then ${second}; unchanged it was ${before.likeliest[0][1]} ${percentage(before.likeliest[0][2])}.`;
}

// ---- a picture from a file

// RGBA bytes of the picture, its shorter side at most SHORT, upright as its camera said, on gray where it is transparent;
// `note` says what was done to it. Throws an Error in words if there is nothing to show.
async function readPicture(file) {
  if (!file.size) throw new Error("The file is empty.");
  if (file.size > MEGABYTES * 1e6) throw new Error(`The file has ${Math.ceil(file.size / 1e6)} MB; at most ${MEGABYTES} are read.`);
  if (/svg/.test(file.type)) throw new Error("An SVG file holds a drawing, not a photo's pixels. Save it as PNG first.");
  const image = new Image();
  const url = URL.createObjectURL(file);
  try {
    await new Promise((done, fail) => Object.assign(image, { onload: done, onerror: fail, src: url }));
    return pixelsOf(image, file.type);
  } catch (error) {
    if (error instanceof Error) throw error;
    const heic = /hei[cf]/i.test(`${file.type} ${file.name}`);
    throw new Error(heic ? "This browser cannot read HEIC. Save the photo as JPEG first." : "This browser finds no picture in the file.");
  } finally {
    URL.revokeObjectURL(url);
  }
}

function pixelsOf(image, type) {
  const [full, tall] = [image.naturalWidth, image.naturalHeight];
  const side = Math.min(full, tall);
  if (full * tall > MEGAPIXELS * 1e6) throw new Error(`The picture has ${Math.round(full * tall / 1e6)} megapixels; at most ${MEGAPIXELS} are read.`);
  if (side < LEAST_SIDE) throw new Error(`The picture has ${full} × ${tall} pixels; each side needs ${LEAST_SIDE}.`);
  // What no slider can reach is cut off.
  const [from, down] = [Math.min(full, 4 * side), Math.min(tall, 4 * side)];
  const scale = Math.min(1, SHORT / side);
  const [width, height] = [Math.round(from * scale), Math.round(down * scale)];
  const pen = h("canvas", { width, height }).getContext("2d", { willReadFrequently: true });
  pen.imageSmoothingQuality = "high";
  pen.drawImage(image, (full - from) / 2, (tall - down) / 2, from, down, 0, 0, width, height);
  const { data } = pen.getImageData(0, 0, width, height);
  let clear = false;
  for (let i = 0; i < data.length; i += 4) {
    if (data[i + 3] === 255) continue;
    clear = true;
    for (let k = 0; k < 3; k++) data[i + k] = GRAY + (data[i + 3] / 255) * (data[i + k] - GRAY);
  }
  const notes = [clear && "Where it is transparent the network sees gray.", /gif/.test(type) && "Of a moving picture it reads the first moment."];
  return { width, height, data, note: notes.filter(Boolean).join(" ") };
}

const fileOf = (base64) => new Blob([bytesFrom(base64)], { type: "image/jpeg" });

export default {
  render({ model, el }) {
    let state = readState(model);
    let [network, parcel, photo, answer] = [null, null, null, null]; // what was loaded, the picture, what the network makes of it
    let [asked, frame, timer, opening] = [null, null, null, 0];
    const image = (more) => h("image", { width: VIEW, height: VIEW, ...more });
    const [picture, film] = [image(), image({ style: "image-rendering: pixelated" })];
    const svg = h("svg", { viewBox: `0 0 ${VIEW} ${VIEW}`, width: 288 * enlarged(), height: 288 * enlarged(), "aria-hidden": "true" }, picture, film);
    const heading = h("p", { class: "cnn-heading" });
    const credit = h("p", { class: "cnn-credit" });
    const pad = h("div", { class: "cnn-drag", tabindex: -1, role: "img", "aria-label": "Photograph", keydown: onKey }, svg);
    const result = h("p", { class: "cnn-result cnn-steady cnn-three", "aria-live": "polite" });
    const note = h("p", { role: "status" });
    const twin = h("div", { class: "cnn-scroll", tabindex: 0, role: "group", "aria-label": "Tables" });
    const details = h("details", { toggle: () => drawTables() }, h("summary", {}, "As tables"), twin);
    const rows = listOf(5, (i) => {
      const [name, bar, share] = [h("span"), h("span", { class: "cnn-bar" }), h("span")];
      const node = button(name, () => assign(model, { label: i === placeOf() ? -1 : answer.likeliest[i][0] }), { class: "cnn-button cnn-class" });
      node.append(bar, share);
      return { node, name, bar, share };
    });
    const load = button("Load the network (5 MB)", ask);
    const samples = choice("Photo", [...SAMPLES, OWN], (name) => (name === OWN ? choose() : openSample(name)));
    const chosen = h("input", { type: "file", accept: "image/*", hidden: true, change: () => open(chosen.files[0]) });
    const hot = checkbox("Heat map", (heat) => assign(model, { heat }));
    const sliders = Object.entries(SLIDERS).map(([name, label]) => [name, slider(model, "your_photo", name, label, "input")]);
    const tools = h("div", { class: "cnn-actions cnn-line-up" }, samples, button("Open a photo of yours", choose), chosen);
    const moves = h("div", {}, h("div", { class: "cnn-controls" }, ...sliders.map(([, control]) => control)), h("div", { class: "cnn-actions" }, button("Reset", () => assign(model, UNTOUCHED))));

    function choose() {
      chosen.click();
      draw(); // until there is one
    }

    // ---- loading

    function ask() {
      load.disabled = true;
      note.textContent = "Loading …";
      asked = setTimeout(() => { note.textContent = "Nothing has come yet. The connection may be slow, or the notebook's kernel may not be running."; }, PATIENCE);
      model.send({ wants: "network" });
    }

    async function arrived(content, buffers = []) {
      clearTimeout(asked);
      if (network) return;
      try {
        if (!content) throw new Error("The network could not be loaded. Is this computer offline?");
        const [weights, kernels] = buffers.map((b) => new Uint8Array(b.buffer, b.byteOffset, b.byteLength));
        network = await loadNetwork(weights, kernels).catch(() => { throw new Error("This browser cannot run the network: it has no WebAssembly with SIMD."); });
        parcel = content;
      } catch (error) {
        load.disabled = false;
        note.textContent = error.message;
        return;
      }
      const lost = [load, document.body].includes(document.activeElement); // the focus, with the button
      pad.tabIndex = 0;
      pad.setAttribute("role", "application");
      pad.setAttribute("aria-label", "Photograph: the arrow keys shift it");
      await openSample(state.sample);
      if (lost) samples.querySelector("select").focus();
    }

    async function open(file, sample = null) {
      if (!file) return;
      if (!network) {
        note.textContent = "Load the network first.";
        return;
      }
      const turn = ++opening;
      note.textContent = "";
      try {
        const read = await readPicture(file);
        if (turn !== opening) return; // another one was chosen meanwhile
        photo = { ...read, sample, before: made(viewOf(read, UNTOUCHED)) };
        note.textContent = read.note;
        assign(model, sample === null ? { label: -1, ...UNTOUCHED } : { sample });
      } catch (error) {
        if (turn === opening) note.textContent = error.message;
      }
      chosen.value = ""; // the same file may be chosen again
      draw();
    }

    const openSample = (sample) => (sample in parcel.photos ? open(fileOf(parcel.photos[sample][0]), sample) : null);

    // ---- moving

    function onKey(event) {
      const by = network && arrow(event);
      if (by) shiftTo(state.moves.across + ARROW_STEP * by[1], state.moves.down + ARROW_STEP * by[0]);
    }

    function shiftTo(across, down) {
      const { across: most } = BOUNDS.your_photo;
      assign(model, { across: whole(Math.round(across), most), down: whole(Math.round(down), most) });
    }

    // A finger scrolls the page, and has the sliders.
    let grip = null;
    const begin = (x, y) => { grip = [state.moves.across - x * VIEW, state.moves.down - y * VIEW]; };
    dragging(pad, (x, y) => { if (network) shiftTo(grip[0] + x * VIEW, grip[1] + y * VIEW); }, () => false, begin);

    function bring(event, list) {
      if (!list?.length) return;
      event.preventDefault();
      open(list[0]);
    }

    // ---- drawing

    function made(rgba) {
      const { scores, features } = runNetwork(network, rgba);
      return { rgba, features, likeliest: likeliest(scores, parcel.classes) };
    }

    const placeOf = () => Math.max(0, answer.likeliest.findIndex(([label]) => label === state.label));
    const heatOf = (place) => answer.heat?.[place] ?? activation(network, answer.features, answer.likeliest[place][0]);

    function addressOf(side, bytes) {
      const canvas = h("canvas", { width: side, height: side });
      canvas.getContext("2d").putImageData(new ImageData(bytes, side, side), 0, 0);
      return canvas.toDataURL();
    }

    function drawHeat() {
      const heat = heatOf(placeOf());
      const mean = heat.reduce((sum, value) => sum + value) / heat.length;
      const most = Math.max(...heat) - mean || 1;
      film.setAttribute("href", addressOf(PLACES, new Uint8ClampedArray(heat.flatMap((value) => [...FILM, (217 * Math.max(0, value - mean)) / most]))));
      film.style.display = state.hot ? "" : "none";
    }

    function drawTables() {
      if (!details.open || !answer) return;
      const rounded = (value) => number(Math.round(10 * value) / 10);
      const heat = heatOf(placeOf());
      twin.replaceChildren(
        table("The five likeliest", ["class", "probability"], answer.likeliest.map(([, name, share]) => [name, percentage(share)])),
        gridTable(`Heat map of ${answer.likeliest[placeOf()][1]}`, listOf(PLACES, (r) => heat.slice(PLACES * r, PLACES * (r + 1))), rounded));
    }

    function drawAnswer() {
      const now = placeOf();
      picture.setAttribute("href", answer.rgba ? addressOf(VIEW, answer.rgba) : `data:image/jpeg;base64,${answer.photo}`);
      heading.textContent = state.hot ? `With the heat map of ${answer.likeliest[now][1]}` : "What the network reads";
      rows.forEach(({ node, name, bar, share }, i) => {
        const [, word, value] = answer.likeliest[i];
        [name.textContent, share.textContent] = [word, percentage(value)];
        bar.style.setProperty("--cnn-share", `${100 * value}%`);
        node.setAttribute("aria-pressed", i === now);
      });
      drawHeat();
      drawTables();
    }

    function say() {
      result.textContent = describe(state);
    }

    // Once a frame at most, and said when it comes to rest.
    function compute() {
      frame = null;
      answer = made(viewOf(photo, state.moves));
      Object.assign(state, { answer });
      drawAnswer();
      clearTimeout(timer);
      timer = setTimeout(say, PAUSE);
    }

    function draw() {
      state = readState(model);
      for (const [name, control] of sliders) control.set(state.moves[name]);
      hot.set(state.hot);
      samples.set(photo && !photo.sample ? OWN : state.sample);
      load.hidden = network !== null;
      tools.hidden = moves.hidden = network === null;
      panels.hidden = !network && !state.answer;
      credit.textContent = photo && !photo.sample ? "" : `Photo: ${photo ? parcel.photos[state.sample][1] : state.answer?.from}`;
      if (photo?.sample && photo.sample !== state.sample) openSample(state.sample);
      if (photo) {
        Object.assign(state, { own: !photo.sample, before: photo.before });
        frame ??= requestAnimationFrame(compute);
        return;
      }
      ({ answer } = state);
      if (answer) drawAnswer();
      say();
    }

    const classes = h("div", { class: "cnn-panel cnn-classes cnn-as-output" }, h("p", { class: "cnn-heading" }, "The five likeliest: press one for its heat map"), ...rows.map(({ node }) => node), hot);
    const panels = h("div", { class: "cnn-panels cnn-close" }, h("div", { class: "cnn-panel cnn-as-input" }, heading, pad, credit), classes);
    el.append(h("div", {
      class: "cnn-figure", role: "group", "aria-label": "A network reads your photo",
      dragover: (event) => event.preventDefault(), drop: (event) => bring(event, event.dataTransfer.files), paste: (event) => bring(event, event.clipboardData.files),
    }, tools, result, h("div", { class: "cnn-actions" }, load), note, panels, moves,
    h("p", { class: "cnn-credit" }, "Colour shows where the last 7 × 7 maps, times the class's weights, add more to its score than on average. You may also drop a photo here, or paste it; it stays in this browser."),
    h("div", { class: "cnn-actions" }, button("Save SVG", () => saveSvg("your-photo", [svg]))), details));
    model.on("msg:custom", arrived);
    model.on("change", draw);
    draw();
    return () => {
      model.off("change", draw);
      model.off("msg:custom", arrived);
      clearTimeout(timer);
    };
  },
};
