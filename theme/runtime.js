// What a kernel does for a figure, done in the page: a model with the state that the page carries.
// What the reader changes is kept in the address, so that a link or a reload shows the same figure.

// Where the page's scripts lie.
const HERE = document.currentScript?.src || document.baseURI;

function makeModel(name, initial, changed, keep) {
  const state = { ...initial, ...changed };
  const listeners = new Map();
  const emit = (event, ...given) => (listeners.get(event) ?? []).forEach((listener) => listener(...given));
  return {
    get: (trait) => state[trait],
    set(trait, value) {
      if (JSON.stringify(state[trait]) === JSON.stringify(value)) return;
      state[trait] = value;
      emit(`change:${trait}`);
      emit("change");
    },
    save_changes: () => keep(Object.fromEntries(Object.entries(state)
      .filter(([trait, value]) => JSON.stringify(value) !== JSON.stringify(initial[trait])))),
    on: (event, listener) => listeners.set(event, [...(listeners.get(event) ?? []), listener]),
    off: (event, listener) => listeners.set(event, (listeners.get(event) ?? []).filter((one) => one !== listener)),
    // What a figure asks for is in a script: a page that is opened from disk may fetch nothing else. Nothing, if it fails.
    send() {
      const script = document.createElement("script");
      script.src = new URL(`${name}.data.js${new URL(HERE).search}`, HERE); // a newer figure gets no older data
      script.onload = () => emit("msg:custom", script.answer.content, script.answer.buffers.map(bytesFrom));
      script.onerror = () => emit("msg:custom", null, []);
      document.head.append(script);
    },
  };
}

// #figures={"0": {"stride": 2}}: the changed traits of the page's first figure.
function readAddress() {
  try {
    const kept = JSON.parse(decodeURIComponent(location.hash.replace(/^#figures=/, "")));
    return kept && typeof kept === "object" ? kept : {};
  } catch {
    return {};
  }
}

function start() {
  const kept = readAddress();
  let timer;
  const write = () => {
    const text = JSON.stringify(kept);
    history.replaceState(null, "", text === "{}" ? location.pathname + location.search : `#figures=${encodeURIComponent(text)}`);
  };
  document.querySelectorAll(".cnn-widget").forEach((box, index) => {
    const initial = JSON.parse(box.dataset.state);
    const own = Object.fromEntries(Object.entries(kept[index] ?? {}).filter(([name]) => name in initial));
    const model = makeModel(box.dataset.widget, initial, own, (changed) => {
      if (Object.keys(changed).length) kept[index] = changed;
      else delete kept[index];
      clearTimeout(timer);
      timer = setTimeout(write, 250);
    });
    const el = document.createElement("div");
    try {
      figures[box.dataset.widget].render({ model, el });
    } catch (error) {
      console.error(`figure ${box.dataset.widget}:`, error); // the picture stays
      box.dataset.failed = "";
      return;
    }
    box.replaceChildren(el);
    box.dataset.ready = "";
    // Who follows a link to a figure's state wants to see it; who reloads wants to stay. Once more when all is loaded: what
    // comes above the figure until then moves it, and WebKit does not scroll along.
    if (Object.keys(own).length && performance.getEntriesByType("navigation")[0].type === "navigate") {
      box.scrollIntoView();
      addEventListener("load", () => box.scrollIntoView());
    }
  });
}

start();
